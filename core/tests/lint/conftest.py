"""Blueprints with one thing wrong."""

import pytest

from dicomwright import Blueprint, DicomFactory


@pytest.fixture
def lint():
    """Return `lint(shipped, *elements, **more) -> findings that are no notes`."""

    def linted(shipped, *elements, notes=False, **more):
        blueprint = Blueprint.load(shipped) + Blueprint(elements)
        found = DicomFactory().lint(blueprint, **more)
        return [one for one in found if notes or one.severity != "note"]

    return linted
