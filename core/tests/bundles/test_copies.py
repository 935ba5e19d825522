from __future__ import annotations

import pytest
from pydicom import Dataset
from pydicom.dataelem import RawDataElement

from dicomwright.blueprint.environment import InstanceEnvironment, SeriesEnvironment
from dicomwright.blueprint.resolution import OMIT, Level, PerInstance
from dicomwright.errors import BlueprintError
from dicomwright.parents import ParentSeries


@pytest.fixture
def resolved(blueprint_of, make_series):
    """Return `resolved(rule, keyword, texts, pairs) -> values of three instances`; None for no element."""

    def resolve(rule, keyword, texts, pairs=(0, 1, 2)):
        parents = make_series("MR", shape=(3, 4, 5))
        for dataset, text in zip(parents, texts, strict=True):
            _put(dataset, keyword, text)
        env = SeriesEnvironment(parents=ParentSeries(parents), pairs=pairs, total_images=3)
        (element,) = blueprint_of(f"{keyword} = {rule}")
        result = element.resolve(env)
        if isinstance(result, PerInstance):
            assert element.level is Level.INSTANCE
            return [_plain(result.func(InstanceEnvironment(number))) for number in (1, 2, 3)]
        return [_plain(result)] * 3

    return resolve


def _put(dataset, keyword, text):
    """Set an element to text that pydicom itself might refuse, None for no element."""
    if keyword in dataset:
        del dataset[keyword]
    if text is not None:
        setattr(dataset, keyword, "")
        tag = dataset.data_element(keyword).tag
        dataset[tag] = RawDataElement(
            tag, dataset[tag].VR, len(text), text.encode(), 0, is_implicit_VR=False, is_little_endian=True
        )


def _plain(value):
    if value is OMIT or value is None:
        return value
    return str(getattr(value, "value", value))


KVP = "KVP"


@pytest.mark.parametrize(
    ("rule", "texts", "expected"),
    [
        ('{ copy-or-else = "1", when-varying = "paired" }', ["120"] * 3, ["120"] * 3),
        ('{ copy-or-else = "1", when-varying = "paired" }', ["120", "80", None], ["120", "80", "1"]),
        ('{ copy-or-else = "1", when-varying = "else" }', ["120", "80", "80"], ["1"] * 3),
        ('{ copy-or-else = "1", when-varying = "else" }', [None] * 3, ["1"] * 3),
        ('{ copy-or-else = "1", when-varying = "largest" }', ["120", "130", None], ["130"] * 3),
        ('{ copy-or-else = "1", when-unusable = "else" }', [""] * 3, ["1"] * 3),
        (
            '{ copy-or-else = "1", when-unusable = "else", when-varying = "paired" }',
            ["abc", "2", "2"],
            ["1", "2", "2"],
        ),
        (
            '{ copy-or-else = "1", when-unusable = "else", when-varying = "largest" }',
            ["abc", "2", "3"],
            ["3"] * 3,
        ),
        ('{ copy-or-else = "1", when-unusable = "else" }', ["120.00000000000000000001"] * 3, ["120.0"] * 3),
        ('{ copy = "usable" }', [""] * 3, [OMIT] * 3),
        ('{ copy = "usable" }', ["120"] * 3, ["120"] * 3),
        ('{ copy = "usable", when-varying = "omit" }', ["120", "80", "80"], [OMIT] * 3),
        ('{ copy = "usable", when-varying = "paired" }', ["120", "", None], ["120", OMIT, OMIT]),
        ('{ copy = "optional", when-varying = "omit" }', ["120", "80", "80"], [OMIT] * 3),
        ('{ copy = "optional", when-varying = "omit" }', [None] * 3, [OMIT] * 3),
    ],
)
def test_what_is_copied(resolved, rule, texts, expected):
    assert [value if value is OMIT else float(value) for value in resolved(rule, KVP, texts)] == [
        value if value is OMIT else float(value) for value in expected
    ]


def test_numbers_with_too_many_digits_become_shorter(resolved):
    (value, *_) = resolved('{ copy = "usable" }', KVP, ["0.123456789012345678"] * 3)
    assert len(value) <= 16
    assert float(value) == pytest.approx(0.123456789012345678, abs=1e-14)


def test_slices_are_paired_as_the_build_pairs_them(resolved):
    rule = '{ copy-or-else = "1", when-varying = "paired" }'
    assert resolved(rule, KVP, ["10", "20", "30"], pairs=(2, None, 0)) == ["30", "1", "10"]
    assert resolved(rule, KVP, ["10", "20", "30"], pairs=None) == ["1"] * 3


def test_a_value_that_differs_is_an_error_unless_the_rule_says_what_to_do(resolved):
    with pytest.raises(BlueprintError, match="differs between the instances"):
        resolved('{ copy = "usable" }', KVP, ["10", "20", "30"])


@pytest.mark.parametrize(("text", "expected"), [("M", "M"), ("0", OMIT), ("U", OMIT)])
def test_values_that_the_standard_enumerates(resolved, text, expected):
    assert (
        resolved('{ copy = "usable", among = ["M", "F", "O"] }', "PatientSex", [text] * 3) == [expected] * 3
    )


def test_a_strict_copy_refuses_other_values(resolved):
    with pytest.raises(BlueprintError, match="not M or F"):
        resolved('{ copy-or-else = "", among = ["M", "F"] }', "PatientSex", ["X"] * 3)


def test_several_values_are_each_looked_at(resolved):
    rule = '{ copy-or-else = "RM", when-unusable = "else", among = ["GR", "IR", "RM"] }'
    assert resolved(rule, "ScanningSequence", ["GR\\IR"] * 3) == ["['GR', 'IR']"] * 3
    assert resolved(rule, "ScanningSequence", ["GR\\XX"] * 3) == ["RM"] * 3


def test_without_parents_the_other_value(blueprint_of):
    blueprint = blueprint_of(
        'KVP = { copy-or-else = "1", when-varying = "paired" }\nStudyID = { copy = "usable" }'
    )
    env = SeriesEnvironment()
    assert blueprint["KVP"].resolve(env) == "1"
    assert blueprint["StudyID"].resolve(env) is OMIT
    assert blueprint.required_tags() == []


def test_rules_in_words(blueprint_of):
    blueprint = blueprint_of(
        'KVP = { copy-or-else = "1", when-varying = "paired" }\n'
        'StudyID = { copy = "usable" }\n'
        'InversionTime = { static = 3, only-if = { ScanningSequence = ["IR", "EP"], TriggerTime = false } }'
    )
    assert [blueprint[name].rule() for name in ("KVP", "StudyID", "InversionTime")] == [
        "copy, or else '1' (where it differs: from the paired instance)",
        "copy where usable, or else nothing",
        "static '3', only if ScanningSequence (0018,0020) is IR or EP and TriggerTime (0018,1060) is absent",
    ]


def header(**values):
    dataset = Dataset()
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    return dataset


@pytest.mark.parametrize(
    ("condition", "output", "holds"),
    [
        ('{ Modality = "MR" }', header(Modality="MR"), True),
        ('{ Modality = "MR" }', header(Modality="CT"), False),
        ('{ Modality = "MR" }', header(), False),
        ('{ Modality = "MR" }', header(Modality=""), False),
        ('{ ScanningSequence = "IR" }', header(ScanningSequence=["GR", "IR"]), True),
        ('{ ScanningSequence = ["IR", "EP"] }', header(ScanningSequence=["GR"]), False),
        ("{ SeriesNumber = 3 }", header(SeriesNumber=3), True),
        ("{ Laterality = false }", header(), True),
        ("{ Laterality = false }", header(Laterality=""), False),
        ("{ Laterality = true }", header(Laterality=""), True),
        ('{ Laterality = true, Modality = "MR" }', header(Laterality="R", Modality="CT"), False),
        ("{ ReferencedSeriesSequence = true }", header(ReferencedSeriesSequence=[]), True),
        ('{ ReferencedSeriesSequence = "1" }', header(ReferencedSeriesSequence=[Dataset()]), False),
    ],
)
def test_conditions(blueprint_of, condition, output, holds):
    (element,) = blueprint_of(f'StudyID = {{ static = "1", only-if = {condition} }}')
    value = element.resolve(SeriesEnvironment()).func(InstanceEnvironment(1, header_dataset=output))
    assert value == ("1" if holds else OMIT)


def test_a_condition_on_what_is_made_for_each_instance(blueprint_of):
    (element,) = blueprint_of(
        'InstanceNumber = { instance = "instance-number", only-if = { Modality = "MR" } }'
    )
    result = element.resolve(SeriesEnvironment())
    assert result.func(InstanceEnvironment(4, header_dataset=header(Modality="MR"))) == 4


def test_a_sequence_of_rules_cannot_be_conditional(blueprint_of):
    (element,) = blueprint_of("DerivationCodeSequence = { sequence = [], only-if = { Modality = true } }")
    with pytest.raises(BlueprintError, match="cannot have only-if"):
        element.resolve(SeriesEnvironment())
