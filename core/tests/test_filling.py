"""The filling strategy COPY in whole builds: private elements come only when they are asked for."""

from __future__ import annotations

import numpy as np
import pytest
from pydicom import Dataset

from dicomwright import (
    Blueprint,
    CopyElement,
    DicomFactory,
    DiscardElement,
    FillingStrategy,
    PrivateTag,
    StaticElement,
)

IMAGE = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
CT = Blueprint.load("ct-image")


def with_private(text):
    """Return an item that holds a private element."""
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = "1", "99X", text
    item.private_block(0x0021, "ACME", create=True).add_new(1, "LO", "secret")
    return item


@pytest.fixture
def parents(make_series):
    series = make_series("CT", "axial", shape=(3, 4, 5))
    for number, dataset in enumerate(series):
        dataset.PatientInsurancePlanCodeSequence = [with_private(f"differs {number}")]
        dataset.PatientPrimaryLanguageCodeSequence = [with_private("the same")]
        dataset.AnatomicRegionSequence = [with_private("the same")]
        block = dataset.private_block(0x0019, "ACME", create=True)
        block.add_new(1, "LO", "one")
        block.add_new(2, "LO", f"two {number}")
        block.add_new(3, "LO", "three")
    return series


def filled(parents, *elements, **options):
    blueprint = CT + Blueprint(elements)
    return DicomFactory(FillingStrategy.COPY).build(IMAGE, blueprint, parents, **options)


SEQUENCES = (
    "PatientInsurancePlanCodeSequence",
    "PatientPrimaryLanguageCodeSequence",
    "AnatomicRegionSequence",
)


@pytest.mark.parametrize("keyword", SEQUENCES)
@pytest.mark.parametrize("from_files", [True, False])
def test_private_elements_of_items_stay_out(parents, write_series, tmp_path, keyword, from_files):
    source = write_series(parents, tmp_path / "parents") if from_files else parents
    for dataset, parent in zip(filled(source), parents, strict=True):
        (item,) = dataset[keyword].value
        assert item.CodeMeaning == parent[keyword].value[0].CodeMeaning
        assert not any(tag.is_private for tag in item.keys())  # noqa: SIM118  # a dataset iterates over elements


@pytest.mark.parametrize("keyword", SEQUENCES[:2])
def test_private_elements_of_items_come_when_asked_for(parents, keyword):
    (item,) = filled(parents, keep_private=True)[1][keyword].value
    assert item[0x0021, 0x1001].value == "secret"


def test_a_private_element_that_the_blueprint_names_is_not_filled(parents):
    dataset = filled(
        parents,
        DiscardElement(PrivateTag(0x0019, "ACME", 1)),
        DiscardElement(PrivateTag(0x0019, "ACME", 2)),
        StaticElement(PrivateTag(0x0019, "ACME", 3), "LO", "mine"),
        keep_private=True,
    )[1]
    private = {f"{element.tag:08X}": element.value for element in dataset if element.tag.is_private}
    assert private == {"00190010": "ACME", "00191003": "mine"}


def test_a_private_block_may_lie_elsewhere_in_each_parent(make_series):
    parents = make_series("CT", "axial", shape=(3, 4, 5))
    for number, dataset in enumerate(parents):
        if number == 1:
            dataset.private_block(0x0019, "OTHER", create=True)
        dataset.private_block(0x0019, "ACME", create=True).add_new(1, "LO", "same")
    blueprint = CT + Blueprint([CopyElement(PrivateTag(0x0019, "ACME", 1))])
    dataset = DicomFactory().build(IMAGE, blueprint, parents)[1]
    assert dataset.private_block(0x0019, "ACME")[1].value == "same"
