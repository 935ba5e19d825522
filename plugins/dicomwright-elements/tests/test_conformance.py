"""The element types pass the battery that third parties' element types pass."""

from __future__ import annotations

from types import MappingProxyType

import pytest

from dicomwright.testing import ElementTypeConformance


class _Element(ElementTypeConformance):
    module = "dicomwright_elements.plugin"
    blueprints = ("ct-image",)
    parents = True

    @pytest.fixture(autouse=True)
    def _key(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SITE_KEY", "0123456789abcdef0123456789abcdef")


class TestLookup(_Element):
    name = "lookup"
    rules = 'PatientComments = { lookup = "sexes.csv", from = "PatientSex" }'
    files = MappingProxyType({"sexes.csv": "code,meaning\nM,male\nO,other\n"})
    expected = MappingProxyType({"PatientComments": "other"})
    refused = (
        'PatientComments = { lookup = "none.csv", from = "PatientSex" }',
        'PatientComments = { lookup = "../sexes.csv" }',
        "PatientComments = { lookup = 3 }",
    )


class TestRegex(_Element):
    name = "regex"
    rules = 'SeriesDescription = { regex = "^Phantom +", with = "" }'
    expected = MappingProxyType({"SeriesDescription": "parent"})
    refused = ('SeriesDescription = { regex = "(", with = "" }', "SeriesDescription = { regex = 3 }")


class TestTemplate(_Element):
    name = "template"
    rules = 'ImageComments = { template = "{PatientID} in {StudyDate.year}" }'
    expected = MappingProxyType({"ImageComments": "P-001 in 2024"})
    refused = ('ImageComments = { template = "{NoSuchTag}" }', 'ImageComments = { template = "{" }')


class TestFirstOf(_Element):
    name = "first-of"
    rules = 'ImageComments = { first-of = [ { copy = "optional" }, { static = "none" } ] }'
    expected = MappingProxyType({"ImageComments": "none"})
    refused = ("ImageComments = { first-of = [] }", 'ImageComments = { first-of = "copy" }')


class TestWhen(_Element):
    name = "when"
    rules = 'ImageComments = { when = { Modality = "CT" }, then = { static = "a CT" } }'
    expected = MappingProxyType({"ImageComments": "a CT"})
    refused = (
        'ImageComments = { when = { Modality = "CT" } }',
        'ImageComments = { when = "CT", then = "copy" }',
    )


class TestHashId(_Element):
    name = "hash-id"
    rules = 'PatientID = { hash-id = "env:SITE_KEY", prefix = "STE-" }'
    refused = (
        'PatientID = { hash-id = "SITE_KEY" }',
        'PatientID = { hash-id = "env:SITE_KEY", length = 4 }',
    )


class TestDateShift(_Element):
    name = "date-shift"
    rules = "StudyDate = { date-shift = -5 }"
    expected = MappingProxyType({"StudyDate": "20240229"})
    refused = ("StudyDate = { date-shift = true }", "PatientID = { date-shift = 5 }")


class TestCounter(_Element):
    name = "counter"
    rules = 'ImageComments = { counter = 7, width = 3, prefix = "no. " }'
    expected = MappingProxyType({"ImageComments": "no. 007"})
    refused = ('ImageComments = { counter = "x" }', "ImageComments = { counter = 1, step = 0.5 }")


class TestCode(_Element):
    name = "code"
    rules = 'ProcedureCodeSequence = { code = "DCM:113076" }'
    refused = ('ProcedureCodeSequence = { code = "DCM:none" }', 'PatientID = { code = "DCM:113076" }')
