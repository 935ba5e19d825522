"""The blueprint as a mapping, and how blueprints combine."""

from __future__ import annotations

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.tag import Tag

from dicomwright import (
    Blueprint,
    CopyElement,
    CopyOrElseElement,
    DicomwrightError,
    DiscardElement,
    FunctionalElement,
    InstanceCopyElement,
    PrivateTag,
    SequenceElement,
    SeriesElement,
    StaticElement,
    gen_uid,
)

KEYWORDS = {
    "PatientID": "LO",
    "StudyID": "SH",
    "SeriesDescription": "LO",
    "StudyDescription": "LO",
    "Modality": "CS",
}


@st.composite
def elements(draw):
    keyword = draw(st.sampled_from(sorted(KEYWORDS)))
    kind = draw(st.sampled_from(["static", "copy", "discard", "series"]))
    if kind == "static":
        return StaticElement(keyword, KEYWORDS[keyword], draw(st.text("ABC", min_size=1, max_size=3)))
    if kind == "series":
        return SeriesElement(keyword, KEYWORDS[keyword], gen_uid)
    return CopyElement(keyword) if kind == "copy" else DiscardElement(keyword)


blueprints = st.lists(elements(), max_size=6).map(Blueprint)


def same(left, right):
    """Whether two blueprints hold the very same elements."""
    return list(map(id, left)) == list(map(id, right))


class TestAlgebra:
    @given(blueprints, blueprints)
    def test_the_right_one_wins(self, left, right):
        both = left + right
        for element in both:
            expected = right[element.tag] if element.tag in right else left[element.tag]
            assert both[element.tag] is expected
        assert {e.tag for e in both} == {e.tag for e in left} | {e.tag for e in right}

    @given(blueprints, blueprints, blueprints)
    def test_it_is_associative(self, a, b, c):
        assert same((a + b) + c, a + (b + c))

    @given(blueprints)
    def test_the_empty_one_changes_nothing(self, blueprint):
        assert same(blueprint + Blueprint(), blueprint)
        assert same(Blueprint() + blueprint, blueprint)
        assert same(blueprint + blueprint, blueprint)

    @given(blueprints, blueprints)
    def test_bar_is_plus(self, left, right):
        assert same(left | right, left + right)

    @given(st.lists(elements(), unique_by=lambda element: element.tag), st.randoms())
    def test_the_order_of_insertion_does_not_matter(self, given_elements, random):
        shuffled = list(given_elements)
        random.shuffle(shuffled)
        assert same(Blueprint(given_elements), Blueprint(shuffled))

    @given(blueprints, blueprints)
    def test_operands_stay_as_they_are(self, left, right):
        before = list(left), list(right)
        both = left + right
        for element in list(both):
            del both[element.tag]
        assert (list(left), list(right)) == before

    @given(blueprints)
    def test_iteration_is_in_tag_order(self, blueprint):
        tags = [element.tag for element in blueprint]
        assert tags == sorted(tags)
        assert len(blueprint) == len(tags) == len(set(tags))

    @pytest.mark.parametrize("other", [None, 3, [], {}, "mr-image", StaticElement("StudyID", "SH", "1")])
    def test_only_blueprints_combine(self, other):
        with pytest.raises(TypeError):
            Blueprint() + other
        with pytest.raises(TypeError):
            other | Blueprint()

    def test_in_place_combination_leaves_the_other_name(self):
        first = Blueprint([StaticElement("StudyID", "SH", "1")])
        second = first
        second += Blueprint([StaticElement("StudyID", "SH", "2")])
        assert (first["StudyID"].value, second["StudyID"].value) == ("1", "2")
        second |= Blueprint([StaticElement("StudyID", "SH", "3")])
        assert second["StudyID"].value == "3"

    def test_sum_of_many(self):
        parts = [Blueprint([StaticElement("StudyID", "SH", str(number))]) for number in range(4)]
        assert sum(parts, Blueprint())["StudyID"].value == "3"


WAYS = [
    0x0008103E,
    (0x0008, 0x103E),
    "SeriesDescription",
    "(0008,103E)",
    "0008103e",
    Tag(0x0008103E),
    pydicom.tag.Tag("SeriesDescription"),
]


@pytest.mark.parametrize("way", WAYS, ids=repr)
class TestTags:
    def test_every_way_to_name_a_tag(self, way):
        element = StaticElement(way, "LO", "x")
        assert element.tag == 0x0008103E
        blueprint = Blueprint([element])
        for other in WAYS:
            assert other in blueprint
            assert blueprint[other] is element
        del blueprint[way]
        assert len(blueprint) == 0
        assert way not in blueprint

    def test_assignment_by_tag(self, way):
        blueprint = Blueprint()
        element = StaticElement("SeriesDescription", "LO", "x")
        blueprint[way] = element
        assert blueprint["SeriesDescription"] is element
        with pytest.raises(DicomwrightError, match="cannot stand at"):
            blueprint[way] = StaticElement("StudyID", "SH", "1")


def test_private_tags_stand_in_order_and_can_be_looked_up():
    tag = PrivateTag(0x0009, "ACME", 0x01)
    blueprint = Blueprint(
        [
            StaticElement("PatientID", "LO", "1"),
            StaticElement(tag, "LO", "x"),
            StaticElement("StudyDate", "DA", "20240101"),
        ]
    )
    assert [str(element.tag)[:5] for element in blueprint] == ["(0008", "ACME:", "(0010"]
    assert tag in blueprint
    assert PrivateTag(0x0009, "ACME", 0x01) in blueprint
    assert PrivateTag(0x0009, "OTHER", 0x01) not in blueprint
    assert "ACME:0009,xx01" in blueprint
    del blueprint[tag]
    assert tag not in blueprint


@pytest.mark.parametrize("tag", ["NoSuchKeyword", None, 3.5, -1, (1, 2, 3), object(), 2**40, ""])
def test_what_is_no_tag_is_not_in_a_blueprint(tag):
    assert tag not in Blueprint([StaticElement("StudyID", "SH", "1")])


def test_missing_elements_are_named():
    with pytest.raises(KeyError, match=r"StudyID \(0020,0010\)"):
        Blueprint()["StudyID"]
    with pytest.raises(KeyError, match=r"StudyID \(0020,0010\)"):
        del Blueprint()["StudyID"]


@pytest.mark.parametrize("thing", ["StudyID", None, ("StudyID", "SH", "1"), Blueprint(), StaticElement])
def test_only_virtual_elements_go_in(thing):
    with pytest.raises(DicomwrightError, match="a blueprint holds virtual elements"):
        Blueprint().add_virtual_element(thing)
    with pytest.raises(DicomwrightError, match="a blueprint holds virtual elements"):
        Blueprint([thing])


def test_the_later_of_two_stays():
    blueprint = Blueprint([StaticElement("StudyID", "SH", "1"), DiscardElement("StudyID")])
    assert isinstance(blueprint["StudyID"], DiscardElement)
    blueprint.add_virtual_element(StaticElement("StudyID", "SH", "2"))
    assert blueprint["StudyID"].value == "2"
    assert len(blueprint) == 1


def test_what_the_parent_must_have():
    item = Blueprint(
        [
            CopyElement("StudyDate"),
            SequenceElement("ProcedureCodeSequence", [Blueprint([CopyElement("StudyTime")])]),
        ]
    )
    blueprint = Blueprint(
        [
            StaticElement("Modality", "CS", "MR"),
            CopyElement("PatientID"),
            CopyElement("PatientName", optional=True),
            CopyOrElseElement("StudyID", "SH", "1"),
            DiscardElement("PatientSex"),
            SeriesElement("SeriesInstanceUID", "UI", gen_uid),
            FunctionalElement("SOPInstanceUID", "UI", lambda _: gen_uid()),
            InstanceCopyElement("SliceLocation", "DS"),
            SequenceElement("DerivationCodeSequence", [item]),
        ]
    )
    assert blueprint.required_tags() == [0x00080020, 0x00080030, 0x00100020, 0x00200013, 0x00201041]


def test_a_discarded_copy_is_not_required():
    assert (
        Blueprint([CopyElement("PatientID")]) + Blueprint([DiscardElement("PatientID")])
    ).required_tags() == []


def test_iterating_while_deleting():
    blueprint = Blueprint.load("mr-image")
    for element in blueprint:
        del blueprint[element.tag]
    assert len(blueprint) == 0
    assert len(Blueprint.load("mr-image")) > 10


def test_loaded_blueprints_are_the_callers_own():
    first = Blueprint.load("ct-image")
    first.add_virtual_element(StaticElement("StudyID", "SH", "mine"))
    assert getattr(Blueprint.load("ct-image")["StudyID"], "value", None) != "mine"


def test_a_blueprint_serves_several_builds(make_series):
    import numpy as np

    from dicomwright import DicomFactory

    blueprint = Blueprint.load("ct-image")
    parents = make_series("CT", shape=(2, 3, 4))
    image = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    first = DicomFactory().build_series(image, blueprint, parents)
    second = DicomFactory().build_series(image + 1, blueprint, parents)
    assert first[0].SeriesInstanceUID != second[0].SeriesInstanceUID
    assert first[0].SOPInstanceUID != second[0].SOPInstanceUID
    assert len({d.SeriesInstanceUID for d in first}) == 1


def test_what_was_replaced_is_remembered():
    one, two, three = (StaticElement("StudyID", "SH", text) for text in "123")
    both = Blueprint([one]) + (Blueprint([two]) + Blueprint([three]))
    assert both.replaced("StudyID") == (two, one)
    assert (both + both).replaced("StudyID") == (two, one)
    assert Blueprint([one, one]).replaced("StudyID") == ()
    del both["StudyID"]
    both.add_virtual_element(one)
    assert both.replaced("StudyID") == ()
