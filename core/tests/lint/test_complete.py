"""Each shipped blueprint of an IOD is complete against the tables, and loads by its Python name."""

import pytest

import dicomwright.blueprints
from dicomwright import (
    Blueprint,
    CopyElement,
    DicomFactory,
    DiscardElement,
    InstanceCopyElement,
    PrivateTag,
    standard,
)
from dicomwright.blueprint.copying import CopyOrElseElement
from dicomwright.blueprint.resolution import OMIT
from dicomwright.bundles import shipped_names
from dicomwright.bundles.catalog import catalog
from dicomwright.lint.encoders import given_by_encoders
from dicomwright.plugins import load

IODS = {entry.name: entry.sop_class_uid for entry in catalog() if entry.sop_class_uid}

#: What neither a blueprint nor an encoder can know: the user gives it, or the parent has it.
THE_USER_GIVES = {"enhanced-pet-image": {"RadiopharmaceuticalInformationSequence"}}


def is_always_there(element):
    """Tell whether an element is in the output whatever the parent has."""
    if isinstance(element, DiscardElement):
        return False
    if isinstance(element, CopyElement):
        return not element.optional
    return not (isinstance(element, CopyOrElseElement) and element.default is OMIT)


def test_each_iod_that_is_asked_for_has_one():
    names = {standard.iod(uid).key for uid in IODS.values()}
    assert names >= {
        "ct-image",
        "mr-image",
        "positron-emission-tomography-image",
        "nuclear-medicine-image",
        "secondary-capture-image",
        "multi-frame-grayscale-byte-secondary-capture-image",
        "multi-frame-grayscale-word-secondary-capture-image",
        "multi-frame-true-color-secondary-capture-image",
        "encapsulated-pdf",
        "enhanced-ct-image",
        "enhanced-mr-image",
        "enhanced-pet-image",
    }


@pytest.mark.parametrize("name", IODS)
def test_each_required_attribute_is_given(name):
    iod, blueprint = standard.iod(IODS[name]), Blueprint.load(name)
    required = [attribute for attribute in iod.required((), "M") if attribute.required]
    assert len(required) > 20
    there = {int(element.tag) for element in blueprint if is_always_there(element)} | given_by_encoders(iod)
    missing = {attribute.keyword for attribute in required if attribute.tag not in there}
    assert missing == THE_USER_GIVES.get(name, set())


@pytest.mark.parametrize("name", IODS)
def test_nothing_belongs_to_another_iod(name):
    iod = standard.iod(IODS[name])
    known = {attribute.tag for attribute in iod.level()}
    foreign = [
        element for element in Blueprint.load(name) if is_always_there(element) and element.tag not in known
    ]
    assert foreign == []


@pytest.mark.parametrize("plugins", [True, False])
@pytest.mark.parametrize("name", IODS)
def test_lint_finds_nothing(name, plugins):
    factory = DicomFactory(plugin_set=load(enabled=plugins))
    assert [one for one in factory.lint(Blueprint.load(name)) if one.severity != "note"] == []


@pytest.mark.parametrize("name", shipped_names())
def test_python_names(name):
    found = getattr(dicomwright.blueprints, name.replace("-", "_"))
    assert isinstance(found, Blueprint)
    assert [str(element) for element in found] == [str(element) for element in Blueprint.load(name)]
    assert name.replace("-", "_") in dir(dicomwright.blueprints)


def test_each_import_is_a_blueprint_of_its_own():
    from dicomwright.blueprints import ct_image

    del ct_image["KVP"]
    from dicomwright.blueprints import ct_image as another

    assert "KVP" in another


def test_names_that_are_none():
    with pytest.raises(AttributeError, match="has no attribute 'xt_image'"):
        _ = dicomwright.blueprints.xt_image


@pytest.mark.parametrize(
    ("elements", "expected"),
    [
        ([CopyElement(PrivateTag(0x0029, "ACME (x)", 1))], "ACME (x):(0029,xx01) is copied"),
        ([InstanceCopyElement("TriggerTime"), CopyElement("StudyID")], "TriggerTime, StudyID are copied"),
    ],
)
def test_rules_that_need_a_parent_are_named(elements, expected):
    findings = DicomFactory().lint(Blueprint.load("mr-image") + Blueprint(elements))
    (note,) = (one for one in findings if one.kind == "parent")
    assert f"a parent series is needed: {expected}" in str(note)
