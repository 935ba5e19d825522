"""Every kind of rule passes the battery that those of third parties pass."""

from __future__ import annotations

import pytest

from dicomwright.testing import ElementTypeConformance


class Elements(ElementTypeConformance):
    """What they have in common: a parent series, and a key."""

    module = "dicomwright_elements.plugin"
    blueprints = ("ct-image",)
    parents = True

    @pytest.fixture(autouse=True)
    def site_key(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SITE_KEY", "a key for tests, and no secret")


class TestLookup(Elements):
    name = "lookup"
    rules = 'PatientComments = { lookup = "t.csv", from = "Modality" }'
    files = {"t.csv": "modality,meaning\nCT,computed\n"}  # nobody changes it
    expected = {"PatientComments": "computed"}  # nobody changes it
    refused = ('PatientComments = { lookup = "none.csv" }', "PatientComments = { lookup = 3 }")


class TestRegex(Elements):
    name = "regex"
    rules = 'PatientComments = { regex = "^C", with = "D", from = "Modality" }'
    expected = {"PatientComments": "DT"}  # nobody changes it
    refused = ('StudyID = { regex = "(", with = "" }', 'StudyID = { regex = "a" }')


class TestTemplate(Elements):
    name = "template"
    rules = 'ImageComments = { template = "{Modality} {InstanceNumber}", of = { InstanceNumber = "copy-instance" } }'
    expected = {"ImageComments": "CT 1"}  # nobody changes it
    refused = ('StudyID = { template = "{" }', 'StudyDate = { template = "x" }')


class TestFirstOf(Elements):
    name = "first-of"
    rules = 'PatientComments = { first-of = [ "copy", { static = "none" } ] }'
    expected = {"PatientComments": "none"}  # nobody changes it
    refused = ("StudyID = { first-of = [] }", 'StudyID = { first-of = "copy" }')


class TestWhen(Elements):
    name = "when"
    rules = (
        'PatientComments = { when = { Modality = "CT" }, then = { static = "a" }, else = { static = "b" } }'
    )
    expected = {"PatientComments": "a"}  # nobody changes it
    refused = ('StudyID = { when = { Modality = "CT" } }', 'StudyID = { when = {}, then = "copy" }')


class TestHashId(Elements):
    name = "hash-id"
    rules = 'PatientID = { hash-id = "env:SITE_KEY", from = "Modality" }'
    expected = {"PatientID": "DEOL5ZZ7XM3ZLIXF"}  # nobody changes it
    refused = ('PatientID = { hash-id = "secret" }', 'StudyDate = { hash-id = "env:A" }')


class TestDateShift(Elements):
    name = "date-shift"
    rules = "StudyDate = { date-shift = 1, of = { static = 2024-02-28 } }"
    expected = {"StudyDate": "20240229"}  # nobody changes it
    refused = ("StudyTime = { date-shift = 1 }", 'StudyDate = { date-shift = "secret" }')


class TestCounter(Elements):
    name = "counter"
    rules = 'ImageComments = { counter = 7, width = 3, prefix = "n" }'
    expected = {"ImageComments": "n007"}  # nobody changes it
    refused = ("StudyDate = { counter = 1 }", "ImageComments = { counter = 1, step = 0 }")


class TestCode(Elements):
    name = "code"
    rules = 'ProcedureCodeSequence = { code = "SCT:Liver" }'
    refused = ('ProcedureCodeSequence = { code = "SCT:Livr" }', 'StudyID = { code = "SCT:Liver" }')
