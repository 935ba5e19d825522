"""Small builds for the tests of the engine."""

import numpy as np
import pytest

from dicomwright.blueprint.blueprint import Blueprint
from dicomwright.blueprint.elements import FunctionalElement, StaticElement
from dicomwright.engine.compile import compile_plan
from dicomwright.engine.request import BuildRequest, PlainImages
from dicomwright.engine.rules import Layer
from dicomwright.engine.series import BuildReport, Series
from dicomwright.parents import ParentSeries
from dicomwright.uids import gen_uid

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"


@pytest.fixture
def identity():
    """What every instance needs."""
    return Blueprint(
        [
            StaticElement("SOPClassUID", "UI", SECONDARY_CAPTURE),
            FunctionalElement("SOPInstanceUID", "UI", lambda _: gen_uid()),
        ],
    )


@pytest.fixture
def build(identity):
    """Return `build(elements, count=1, parents=None, ...) -> Series`."""

    def built(elements=(), count=1, parents=None, pairs=None, **more):
        series = ParentSeries.of(parents)
        if series is not None and pairs is None and len(series) == count:
            pairs = tuple(range(count))
        images = PlainImages([np.full((2, 3), index) for index in range(count)])
        layers = [Layer("own", identity), Layer("blueprint", Blueprint(elements))]
        request = BuildRequest(layers, count, parents=series, pairs=pairs, images=images, **more)
        return Series(compile_plan(request), BuildReport())

    return built
