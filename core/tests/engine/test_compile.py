"""What a plan holds, and what it refuses."""

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from dicomwright import (
    OMIT,
    Blueprint,
    CopyElement,
    CopyOrElseElement,
    DicomwrightError,
    DiscardElement,
    FunctionalElement,
    IndexElement,
    InstanceCopyElement,
    KeyedIndexElement,
    PrivateTag,
    SequenceElement,
    SeriesElement,
    StaticElement,
    VirtualElement,
)
from dicomwright.blueprint.resolution import Level, PerInstance
from dicomwright.engine.rules import Layer, merge
from dicomwright.engine.write import _threads_for


@pytest.fixture
def parents(make_series):
    series = make_series(modality="MR", shape=(3, 6, 4), elements={"StudyID": "7"})
    for number, dataset in enumerate(series):
        dataset.SliceLocation = 2.5 * number
    return series


def test_all_problems_come_at_once_and_name_their_origin(build, parents):
    del parents[0].StudyID
    with pytest.raises(DicomwrightError) as caught:
        build(
            [
                StaticElement("SeriesDescription", "LO", "x" * 65),
                StaticElement("StudyDate", "DA", "20260230"),
                CopyElement("PatientComments"),
                SeriesElement("SeriesNumber", "IS", lambda: 1 / 0),
                KeyedIndexElement("TriggerTime", "DS", "times"),
            ],
            count=3,
            parents=parents,
        )
    error = caught.value
    assert len(error.problems) == 5
    for word in ("SeriesDescription", "StudyDate", "PatientComments", "ZeroDivisionError", "kwargs['times']"):
        assert word in str(error)
    assert all(__file__ in problem.loc for problem in error.problems)


def test_a_series_function_is_called_once(build):
    calls = []
    series = build([SeriesElement("SeriesDescription", "LO", lambda: calls.append(1) or "x")], count=4)
    assert [dataset.SeriesDescription for dataset in series] == ["x"] * 4
    assert len(calls) == 1


def test_a_series_function_may_take_the_parents_first_dataset(build, parents):
    element = SeriesElement("SeriesDescription", "LO", lambda parent: f"{parent.Modality} again")
    assert build([element], parents=parents, pairs=(0,))[0].SeriesDescription == "MR again"


def test_a_series_function_with_a_parent_needs_one(build):
    with pytest.raises(DicomwrightError, match="there is no parent series"):
        build([SeriesElement("SeriesDescription", "LO", lambda parent: parent.Modality)])


def test_functions_see_the_instance(build, parents):
    seen = []

    def look(env):
        seen.append(env)
        return f"{env.instance_number}/{env.total_images} {env.image.mean()} {env.kwargs['k']}"

    series = build(
        [FunctionalElement("ImageComments", "LT", look)], count=3, parents=parents, kwargs={"k": "v"}
    )
    assert series[2].ImageComments == "3/3 2.0 v"
    assert seen[0].instance_dataset is series._plan.request.parents[2]
    assert seen[0].header_dataset.SOPClassUID.name == "Secondary Capture Image Storage"


def test_copies(build, parents):
    for dataset in parents:
        dataset.PatientComments = "same"
    series = build(
        [
            CopyElement("PatientComments"),
            CopyElement("EthnicGroup", optional=True),
            CopyOrElseElement("StudyComments", "LT", "none"),
            CopyOrElseElement("StudyID", "SH", "other"),
            InstanceCopyElement("SliceLocation", "DS"),
        ],
        count=3,
        parents=parents,
    )
    assert series[0].PatientComments == "same"
    assert "EthnicGroup" not in series[0]
    assert series[0].StudyComments == "none"
    assert series[0].StudyID == parents[0].StudyID
    assert [dataset.SliceLocation for dataset in series] == sorted(
        dataset.SliceLocation for dataset in parents
    )


def test_a_varying_value_is_not_copied_once(build, parents):
    with pytest.raises(DicomwrightError, match=r"SliceLocation \(0020,1041\) differs .*InstanceCopyElement"):
        build([CopyElement("SliceLocation")], count=3, parents=parents)


def test_instance_copies_need_a_pairing(build, parents):
    with pytest.raises(DicomwrightError, match="no pairing: two parents"):
        build([InstanceCopyElement("SliceLocation")], count=2, parents=parents, pairing_problem="two parents")


def test_missing_values_of_instances_are_counted(build, parents):
    del parents[1].SliceLocation
    with pytest.raises(DicomwrightError, match="missing in the parent of 1 of 3 instances"):
        build([InstanceCopyElement("SliceLocation")], count=3, parents=parents)


def test_indexed_values(build):
    series = build(
        [IndexElement("TriggerTime", "DS", [0, 40]), KeyedIndexElement("EchoTime", "DS", "te")],
        count=2,
        kwargs={"te": [1.5, 2.5]},
    )
    assert [(dataset.TriggerTime, dataset.EchoTime) for dataset in series] == [(0, 1.5), (40, 2.5)]
    with pytest.raises(DicomwrightError, match="has 2 values in the sequence for 3 instances"):
        build([IndexElement("TriggerTime", "DS", [0, 40])], count=3)


def test_sequences_of_every_level(build, parents):
    item = Blueprint(
        [
            StaticElement("CodeValue", "SH", "1"),
            FunctionalElement("CodeMeaning", "LO", lambda env: f"ø{env.instance_number}"),
            CopyElement("StudyID"),
        ],
    )
    series = build([SequenceElement("DerivationCodeSequence", [item, Blueprint()])], count=3, parents=parents)
    first, second = series[1].DerivationCodeSequence
    assert (first.CodeValue, first.CodeMeaning, first.StudyID) == ("1", "ø2", parents[0].StudyID)
    assert len(second) == 0
    assert SequenceElement("DerivationCodeSequence", [item]).level.name == "INSTANCE"


def test_sequences_of_dynamic_length(build):
    def items(env):
        return Sequence([Dataset() for _ in range(env.instance_number)])

    series = build([FunctionalElement("SourceImageSequence", "SQ", items)], count=3)
    assert [len(dataset.SourceImageSequence) for dataset in series] == [1, 2, 3]


def test_omitted_and_empty_values(build):
    def sometimes(env):
        return OMIT if env.instance_number == 1 else None

    series = build([FunctionalElement("ImageComments", "LT", sometimes)], count=2)
    assert "ImageComments" not in series[0]
    assert series[1].ImageComments in ("", None)


def test_a_function_that_raises_is_named_with_its_instance(build):
    series = build(
        [FunctionalElement("ImageComments", "LT", lambda env: 1 / (env.instance_number - 2))], count=3
    )
    with pytest.raises(
        DicomwrightError, match=r"ImageComments \(0020,4000\) of instance 2.*ZeroDivisionError"
    ):
        series[1]


def test_an_illegal_value_of_a_function_is_named_with_its_instance(build):
    series = build([FunctionalElement("ImageType", "CS", lambda _: "lower case")])
    with pytest.raises(DicomwrightError, match=r"instance 1: ImageType \(0008,0008\)"):
        series[0]


@pytest.mark.parametrize("tag", [0x00020010, 0x00080000, 0x00000002, 0xFFFEE000])
def test_tags_that_no_dataset_has(build, tag):
    with pytest.raises(DicomwrightError, match="cannot be set by a blueprint"):
        build([CopyElement(tag, optional=True)])


def test_instances_need_an_identity_of_their_own(build):
    with pytest.raises(DicomwrightError, match=r"SOPInstanceUID .* is the same for all 2 instances"):
        build([StaticElement("SOPInstanceUID", "UI", "1.2.3")], count=2)
    with pytest.raises(DicomwrightError, match=r"SOPClassUID \(0008,0016\) is given by nothing"):
        build([DiscardElement("SOPClassUID")])


def test_the_stronger_layer_wins_and_knows_what_it_overrode():
    weak = Layer(
        "weak", Blueprint([StaticElement("StudyID", "SH", "1"), StaticElement("Modality", "CS", "MR")])
    )
    middle = Layer("middle", Blueprint([DiscardElement("StudyID")]))
    strong = Layer("strong", Blueprint([StaticElement("StudyID", "SH", "3")]))
    modality, study_id = merge([weak, middle, strong])
    assert (modality.layer, study_id.layer) == ("weak", "strong")
    assert [rule.layer for rule in study_id.overrode] == ["middle", "weak"]


class TestCharacterSets:
    @pytest.mark.parametrize("name", ["Ærø^Bo", "山田^太郎", "Люкceмбург", "قباني^لنزار", "Müller^Jörg"])
    def test_names_survive(self, build, name):
        dataset = build([StaticElement("PatientName", "PN", name)])[0]
        assert str(dataset.PatientName) == name
        assert dataset.SpecificCharacterSet == "ISO_IR 192"

    def test_ascii_needs_none(self, build):
        assert "SpecificCharacterSet" not in build([StaticElement("PatientName", "PN", "Doe^Jane")])[0]

    def test_a_set_of_the_parent_that_carries_everything_stays(self, build, make_series):
        parents = make_series(charset="ISO_IR 100", elements={"PatientName": "Jørgensen^Bo"})
        dataset = build([CopyElement("PatientName")], parents=parents[:1])[0]
        assert (dataset.SpecificCharacterSet, str(dataset.PatientName)) == ("ISO_IR 100", "Jørgensen^Bo")
        wider = [CopyElement("PatientName"), StaticElement("SeriesDescription", "LO", "Ж")]
        assert build(wider, parents=parents[:1])[0].SpecificCharacterSet == "ISO_IR 192"

    def test_text_that_is_not_known_yet_is_expected_to_be_anything(self, build):
        series = build([FunctionalElement("ImageComments", "LT", lambda _: "山")])
        assert (series[0].SpecificCharacterSet, series[0].ImageComments) == ("ISO_IR 192", "山")

    def test_a_set_that_is_asked_for_must_carry_the_text(self, build):
        elements = [StaticElement("SpecificCharacterSet", "CS", "ISO_IR 100")]
        assert build([*elements, StaticElement("PatientName", "PN", "Ærø")])[0].PatientName == "Ærø"
        with pytest.raises(DicomwrightError, match="cannot be written in the character set 'ISO_IR 100'"):
            build([*elements, StaticElement("PatientName", "PN", "山")])

    def test_a_set_that_is_asked_for_must_carry_the_text_of_each_instance(self, build):
        elements = [
            StaticElement("SpecificCharacterSet", "CS", "ISO_IR 100"),
            FunctionalElement("ImageComments", "LT", lambda env: "ØЖ"[env.instance_number - 1]),
        ]
        series = build(elements, count=2)
        assert series[0].ImageComments == "Ø"
        with pytest.raises(DicomwrightError, match=r"instance 2: ImageComments \(0020,4000\) has characters"):
            series[1]

    def test_katakana_of_one_byte_never_become_question_marks(self, build, make_series):
        parents = make_series(charset="ISO_IR 13", elements={"PatientName": "ﾔﾏﾀﾞ^ﾀﾛｳ"})
        elements = [CopyElement("PatientName"), StaticElement("SeriesDescription", "LO", "ﾔﾏﾀﾞ ﾀﾛｳ")]
        dataset = build(elements, parents=parents[:1])[0]
        assert dataset.SpecificCharacterSet == "ISO_IR 192"
        assert (str(dataset.PatientName), dataset.SeriesDescription) == ("ﾔﾏﾀﾞ^ﾀﾛｳ", "ﾔﾏﾀﾞ ﾀﾛｳ")
        with pytest.raises(DicomwrightError, match=r"SeriesDescription \(0008,103E\) has characters"):
            build([elements[1], StaticElement("SpecificCharacterSet", "CS", "ISO_IR 13")])


class TestPrivateBlocks:
    def test_a_block_is_allocated_with_its_creator(self, build):
        series = build(
            [
                StaticElement(PrivateTag(0x0011, "ACME", 0x01), "LO", "a"),
                StaticElement(PrivateTag(0x0011, "ACME", 0x02), "DS", "1.5"),
                StaticElement(PrivateTag(0x0011, "OTHER", 0x01), "LO", "b"),
            ],
        )
        dataset = series[0]
        assert dataset[0x0011, 0x0010].value == "ACME"
        assert dataset[0x0011, 0x0011].value == "OTHER"
        assert dataset.private_block(0x0011, "ACME")[0x02].value == 1.5
        assert dataset.private_block(0x0011, "OTHER")[0x01].value == "b"

    def test_blocks_of_the_parent_are_respected(self, build, parents):
        for dataset in parents:
            dataset.private_block(0x0011, "SOMEBODY", create=True).add_new(1, "LO", "theirs")
            dataset.private_block(0x0011, "ACME", create=True).add_new(1, "LO", "ours")
        elements = [
            StaticElement(PrivateTag(0x0011, "ACME", 0x01), "LO", "new"),
            StaticElement(PrivateTag(0x0011, "THIRD", 0x01), "LO", "third"),
        ]
        dataset = build(elements, count=3, parents=parents)[0]
        assert dataset[0x0011, 0x0011].value == "ACME"
        assert dataset[0x0011, 0x1101].value == "new"
        assert dataset[0x0011, 0x0012].value == "THIRD"

    def test_private_elements_are_copied_with_their_creator(self, build, parents):
        for number, dataset in enumerate(parents):
            dataset.private_block(0x0011, "ACME", create=True).add_new(1, "LO", "same")
            dataset.private_block(0x0011, "ACME").add_new(2, "IS", number)
        dataset = build(
            [CopyElement(0x00111001), InstanceCopyElement(PrivateTag(0x0011, "ACME", 2), "IS")],
            count=3,
            parents=parents,
        )[1]
        assert dataset[0x0011, 0x0010].value == "ACME"
        assert (dataset[0x0011, 0x1001].value, dataset[0x0011, 0x1002].value) == ("same", 1)

    def test_a_block_without_creator_is_refused(self, build):
        with pytest.raises(
            DicomwrightError, match=r"is private and its block has no creator; name it .*PrivateTag\(0x0011"
        ):
            build([StaticElement(0x00111001, "LO", "x")])

    def test_creators_that_are_written_by_hand_hold_their_block(self, build):
        dataset = build(
            [
                StaticElement(0x00110010, "LO", "BY HAND"),
                StaticElement(0x00111001, "LO", "x"),
                StaticElement(PrivateTag(0x0011, "ACME", 1), "LO", "y"),
            ],
        )[0]
        assert dataset[0x0011, 0x0011].value == "ACME"
        assert dataset[0x0011, 0x1101].value == "y"


class Settled(VirtualElement):
    """An element of which only the finished header tells what it is."""

    level = Level.INSTANCE

    def __init__(self):
        super().__init__("StudyDescription", "LO")
        self.asked = []

    def resolve(self, env):  # noqa: ARG002  # as elements are asked
        def value(instance):
            self.asked.append(instance.instance_number)
            return f"of {instance.header_dataset.Modality}"

        return PerInstance(value, once=True)


def test_what_all_instances_share_is_asked_once(build):
    element = Settled()
    series = build([element, StaticElement("Modality", "CS", "OT")], count=3)
    assert {dataset.StudyDescription for dataset in series} == {"of OT"}
    assert element.asked == [1]


@pytest.mark.parametrize(
    ("value", "good"), [(2**31 - 1, True), (2**31, False), (-(2**31), True), (True, False)]
)
def test_whole_numbers_of_functions_are_in_the_range_of_is(build, value, good):
    series = build([FunctionalElement("AcquisitionNumber", "IS", lambda _: value)])
    if good:
        assert series[0].AcquisitionNumber == value
    else:
        with pytest.raises(DicomwrightError, match=r"AcquisitionNumber \(0020,0012\)"):
            series[0]


def test_synced_files_have_threads_whatever_their_size():
    assert (_threads_for(512, fsync=True), _threads_for(512, fsync=False)) == (4, 1)
