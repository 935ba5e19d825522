"""The kinds of virtual element: what their constructors refuse, and what they say of themselves."""

from __future__ import annotations

import inspect

import pytest

from dicomwright import (
    OMIT,
    Blueprint,
    BulkElement,
    DicomwrightError,
    DiscardElement,
    FunctionalElement,
    IndexElement,
    Items,
    KeyedIndexElement,
    Level,
    PerInstance,
    PrivateTag,
    SequenceElement,
    SeriesElement,
    SeriesEnvironment,
    StaticElement,
    VirtualElement,
    gen_uid,
)

ENV = SeriesEnvironment(total_images=3, kwargs={"times": [1, 2, 3], "text": "abc", "short": [1]})
MAKERS = {
    "static": lambda tag, vr: StaticElement(tag, vr, None),
    "series": lambda tag, vr: SeriesElement(tag, vr, gen_uid),
    "functional": lambda tag, vr: FunctionalElement(tag, vr, lambda _: None),
    "index": lambda tag, vr: IndexElement(tag, vr, []),
    "keyed index": lambda tag, vr: KeyedIndexElement(tag, vr, "key"),
    "bulk": lambda tag, vr: BulkElement(tag, vr, lambda _: b""),
}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
class TestEveryKindWithAVr:
    @pytest.mark.parametrize(
        ("tag", "vr", "right"),
        [
            ("SeriesDescription", "SH", "LO"),
            (0x0020000E, "LO", "UI"),
            ((0x0010, 0x0010), "LO", "PN"),
            ("Rows", "SS", "US"),
            ("PixelData", "UN", "OB"),
            ("DerivationCodeSequence", "LO", "SQ"),
        ],
    )
    def test_a_wrong_vr_is_refused_at_once(self, make, tag, vr, right):
        with pytest.raises(DicomwrightError) as caught:
            make(tag, vr)
        assert vr in str(caught.value)
        assert right in str(caught.value)
        assert caught.value.problems[0].loc.startswith(__file__)

    @pytest.mark.parametrize("vr", ["XX", "", "lo", "L", "LOO"])
    def test_what_is_no_vr_is_refused(self, make, vr):
        with pytest.raises(DicomwrightError):
            make("SeriesDescription", vr)

    @pytest.mark.parametrize("vr", ["US", "SS"])
    def test_a_tag_with_two_vrs_takes_both(self, make, vr):
        assert make("SmallestImagePixelValue", vr).vr == vr

    def test_private_tags_take_any(self, make):
        assert make(PrivateTag(0x0009, "ACME", 1), "FD").vr == "FD"

    def test_unknown_keywords_come_with_the_nearest(self, make):
        with pytest.raises(DicomwrightError, match="did you mean SeriesDescription"):
            make("SeriesDescripton", "LO")

    @pytest.mark.parametrize("tag", [None, 1.5, (1,), "", -1, 2**33, (0x10000, 0), b"\0"])
    def test_what_is_no_tag_is_refused(self, make, tag):
        with pytest.raises(DicomwrightError):
            make(tag, "LO")

    def test_it_knows_where_it_was_written(self, make):
        element = (
            make("SeriesDescription", "LO")
            if make is not MAKERS["series"]
            else make("StudyInstanceUID", "UI")
        )
        file, _, line = element.origin.rpartition(":")
        assert file == __file__
        assert inspect.getsource(inspect.getmodule(make)).splitlines()[int(line) - 1].strip()


def test_the_origin_is_the_line_of_the_call():
    element = StaticElement("StudyID", "SH", "1")
    here = inspect.currentframe().f_lineno - 1
    assert element.origin == f"{__file__}:{here}"
    blueprint = Blueprint([StaticElement("StudyID", "SH", "1")])
    here = inspect.currentframe().f_lineno - 1
    assert blueprint["StudyID"].origin == f"{__file__}:{here}"


def test_the_origin_of_a_kind_of_ones_own_is_where_it_is_used():
    class Own(VirtualElement):
        def __init__(self, tag):
            super().__init__(tag, "LO")

        def resolve(self, env):
            return f"{env.total_images} images"

    element = Own("SeriesDescription")
    assert element.origin.startswith(__file__)
    assert element.level is Level.SERIES
    assert element.resolve(ENV) == "3 images"
    assert "Own SeriesDescription (0008,103E) LO" in repr(element)


def test_an_abstract_element_is_none():
    with pytest.raises(TypeError):
        VirtualElement("StudyID", "SH")


@pytest.mark.parametrize("thing", [None, "text", 3, ["list"]])
def test_functions_are_functions(thing):
    with pytest.raises(DicomwrightError, match=r"StudyID \(0020,0010\) needs a function.*StaticElement"):
        SeriesElement("StudyID", "SH", thing)
    with pytest.raises(DicomwrightError, match=r"StudyID \(0020,0010\) needs a function.*StaticElement"):
        FunctionalElement("StudyID", "SH", thing)


class TestSeriesElement:
    def test_a_function_without_arguments(self):
        assert SeriesElement("StudyID", "SH", lambda: "x").resolve(ENV) == "x"

    def test_a_function_with_a_default_is_called_without(self):
        assert SeriesElement("StudyID", "SH", lambda text="mine": text).resolve(ENV) == "mine"

    def test_a_class_or_a_builtin_or_a_bound_method(self):
        assert SeriesElement("StudyID", "SH", str).resolve(ENV) == ""
        assert SeriesElement("StudyID", "SH", "x".upper).resolve(ENV) == "X"

    def test_a_function_of_the_parent_without_one(self):
        with pytest.raises(DicomwrightError, match="no parent series"):
            SeriesElement("StudyID", "SH", lambda parent: parent.StudyID).resolve(ENV)

    def test_keyword_only_and_variable_arguments_ask_for_no_parent(self):
        assert SeriesElement("StudyID", "SH", lambda *a, **k: f"{len(a)}{len(k)}").resolve(ENV) == "00"

    def test_a_partial_function(self):
        from functools import partial

        assert SeriesElement("StudyID", "SH", partial(lambda a, b: a + b, "x", "y")).resolve(ENV) == "xy"


class TestLevels:
    def test_each_kind_says_when_it_is_decided(self):
        assert StaticElement("StudyID", "SH", "1").level is Level.STATIC
        assert DiscardElement("StudyID").level is Level.STATIC
        assert SeriesElement("StudyID", "SH", gen_uid).level is Level.SERIES
        assert FunctionalElement("StudyID", "SH", lambda _: 1).level is Level.INSTANCE
        assert IndexElement("StudyID", "SH", []).level is Level.INSTANCE
        assert KeyedIndexElement("StudyID", "SH", "k").level is Level.INSTANCE

    @pytest.mark.parametrize("level", list(Level))
    def test_a_sequence_has_that_of_its_highest_item(self, level):
        kinds = {
            Level.STATIC: StaticElement("CodeValue", "SH", "1"),
            Level.SERIES: SeriesElement("CodeValue", "SH", gen_uid),
            Level.INSTANCE: FunctionalElement("CodeValue", "SH", lambda _: "1"),
        }
        item = Blueprint([StaticElement("CodeMeaning", "LO", "x")])
        inner = SequenceElement("ProcedureCodeSequence", [Blueprint([kinds[level]])])
        assert SequenceElement("DerivationCodeSequence", [item, Blueprint([inner])]).level is level

    def test_an_empty_sequence_is_static(self):
        assert SequenceElement("DerivationCodeSequence", []).level is Level.STATIC
        assert SequenceElement("DerivationCodeSequence", [Blueprint()]).resolve(ENV).blueprints[0] is not None


class TestResolutions:
    def test_discard_leaves_out(self):
        assert DiscardElement("StudyID").resolve(ENV) is OMIT

    def test_functions_are_asked_for_each_instance(self):
        assert isinstance(FunctionalElement("StudyID", "SH", lambda _: 1).resolve(ENV), PerInstance)

    def test_sequences_have_items(self):
        items = SequenceElement("DerivationCodeSequence", (b for b in [Blueprint(), Blueprint()])).resolve(
            ENV
        )
        assert isinstance(items, Items)
        assert len(items.blueprints) == 2

    def test_indices_count(self):
        for element in (
            IndexElement("EchoTime", "DS", [1, 2, 3]),
            KeyedIndexElement("EchoTime", "DS", "times"),
        ):
            assert list(element.resolve(ENV).known) == [1, 2, 3]
        for element in (IndexElement("EchoTime", "DS", [1]), KeyedIndexElement("EchoTime", "DS", "short")):
            with pytest.raises(DicomwrightError, match=r"1 values .* 3 instances"):
                element.resolve(ENV)

    def test_numpy_arrays_serve_as_lists(self):
        import numpy as np

        assert list(IndexElement("EchoTime", "DS", np.arange(3.0)).resolve(ENV).known) == [0, 1, 2]

    def test_a_missing_key_is_named(self):
        with pytest.raises(DicomwrightError, match=r"EchoTime \(0018,0081\).*'tes'"):
            KeyedIndexElement("EchoTime", "DS", "tes").resolve(ENV)

    def test_a_text_is_not_a_list_of_values(self):
        with pytest.raises(DicomwrightError):
            KeyedIndexElement("StudyID", "SH", "text").resolve(ENV)
        with pytest.raises(DicomwrightError):
            IndexElement("StudyID", "SH", "abc").resolve(ENV)

    @pytest.mark.parametrize(
        "values", [7, None, (number for number in range(3))], ids=["a number", "nothing", "a generator"]
    )
    def test_what_has_no_length_is_refused_as_our_error(self, values):
        with pytest.raises(DicomwrightError):
            IndexElement("StudyID", "SH", values).resolve(ENV)


@pytest.mark.parametrize(
    "items", [None, 3, "text", [None], [{}], ["x"], Blueprint([StaticElement("StudyID", "SH", "1")])]
)
def test_items_of_a_sequence_are_blueprints(items):
    with pytest.raises(DicomwrightError):
        SequenceElement("DerivationCodeSequence", items)


def test_a_sequence_needs_the_tag_of_one():
    with pytest.raises(DicomwrightError, match="SQ"):
        SequenceElement("PatientID", [Blueprint()])


def test_rules_in_words():
    assert "discard" in DiscardElement("StudyID").rule()
    assert "'1'" in StaticElement("StudyID", "SH", "1").rule()
    assert "gen_uid" in SeriesElement("StudyID", "SH", gen_uid).rule()
    assert "times" in KeyedIndexElement("StudyID", "SH", "times").rule()
