"""The bundle as it is installed, and as it builds."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dicomwright import Blueprint, DicomFactory
from dicomwright.bundle_check import check_bundle
from dicomwright.bundles.bundle_set import BundleSet
from dicomwright.errors import BlueprintError

HERE = Path(__file__).parents[1]
NAMES = ("base", "derived-ct", "derived-mr")


def test_it_is_found_and_usable():
    (record,) = [one for one in BundleSet().records if one.name == "example-hospital"]
    assert (record.status, record.reason) == ("usable", "")
    assert record.distribution == "dicomwright-bundle-example"
    assert record.blueprints == tuple(f"example-hospital/{name}" for name in NAMES)


def test_it_is_fit_to_be_given_to_others():
    done = check_bundle(HERE)
    assert [str(finding) for finding in done.findings] == []
    assert [state for _, state in done.blueprints] == ["part", "built", "built"]


def test_it_has_no_code():
    assert list((HERE / "src").rglob("*.py")) == []


def test_nothing_of_it_is_imported():
    code = (
        "import sys; from dicomwright import Blueprint; Blueprint.load('example-hospital/derived-ct');"
        "print('dicomwright_bundle_example' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize(("modality", "number"), [("CT", 901), ("MR", 951)])
def test_what_a_pipeline_builds(make_series, modality, number):
    parents = make_series(modality, shape=(3, 4, 5))
    blueprint = Blueprint.load(f"example-hospital/derived-{modality.lower()}")
    series = DicomFactory().build_series(
        np.zeros((3, 4, 5), np.int16), blueprint, parents, kwargs={"series_label": "Perfusion"}
    )
    output = series[0]
    assert output.SeriesDescription == "Perfusion"
    assert output.SeriesNumber == number
    assert output.InstitutionName == "Example Hospital"
    assert output.PatientID == parents[0].PatientID
    assert "OperatorsName" not in output
    (bundle,) = series.result["bundles"]
    assert bundle["name"] == "example-hospital"
    assert json.dumps(bundle)


def test_the_label_is_needed(make_series):
    blueprint = Blueprint.load("example-hospital/derived-ct")
    with pytest.raises(BlueprintError, match="needs the parameter series_label"):
        DicomFactory().build_series(
            np.zeros((3, 4, 5), np.int16), blueprint, make_series("CT", shape=(3, 4, 5))
        )
