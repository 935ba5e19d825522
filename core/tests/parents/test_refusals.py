"""What is not one series of one patient is refused, all at once, with names and without patient data."""

from __future__ import annotations

import pytest

from dicomwright.errors import ParentError
from dicomwright.parents import ParentSeries


@pytest.mark.parametrize(
    ("keyword", "value", "message"),
    [
        ("PatientID", "P2", "are of 2 patients (PatientID (0010,0020) with its issuer)"),
        ("IssuerOfPatientID", "elsewhere", "are of 2 patients"),
        ("StudyInstanceUID", "2.25.99", "are of 2 studies (StudyInstanceUID (0020,000D))"),
        ("SeriesInstanceUID", "2.25.99", "are of 2 series (SeriesInstanceUID (0020,000E))"),
        ("Rows", 9, "are of 2 image sizes (Rows (0028,0010), Columns (0028,0011))"),
    ],
)
def test_mixtures(folder, write, slices, keyword, value, message):
    image = slices(places=[7], SOPInstanceUID="2.25.70")[0]
    setattr(image, keyword, value)
    write(image, folder / "zz.dcm")
    with pytest.raises(ParentError) as caught:
        ParentSeries.read(folder)
    (problem,) = caught.value.problems
    assert message in problem.message
    assert problem.message.endswith(": 3.dcm, 4.dcm, 5.dcm and 3 more; zz.dcm")
    assert "P1" not in str(caught.value)
    assert "P2" not in str(caught.value)


def test_all_problems_come_at_once(slices):
    images = slices()
    images[1].PatientID = "P2"
    images[2].StudyInstanceUID = "2.25.99"
    images[3].SOPInstanceUID = images[0].SOPInstanceUID
    with pytest.raises(ParentError) as caught:
        ParentSeries(images)
    kinds = [problem.kind for problem in caught.value.problems]
    assert kinds == ["several-patient", "several-study", "duplicate-instance"]


def test_an_instance_given_twice(folder):
    with pytest.raises(ParentError, match=r"2\.25\.7\.1 is in 2 parent files: 8\.dcm, "):
        ParentSeries.read([folder / "8.dcm", folder / "7.dcm", folder / "8.dcm"])


def test_padding_and_encoding_make_no_difference(slices, write, tmp_path):
    for number, image in enumerate(slices(PatientID="Åse-1")):
        image.SpecificCharacterSet = "ISO_IR 192" if number % 2 else "ISO_IR 100"
        write(image, tmp_path / f"{number}.dcm", "1.2.840.10008.1.2" if number % 2 else "1.2.840.10008.1.2.1")
    series = ParentSeries.read(tmp_path)
    assert len(series) == 6
    assert not series.varies(0x00100020)
    assert not series.varies(0x00100010)


@pytest.mark.parametrize("nothing", [[], ()])
def test_nothing(nothing):
    with pytest.raises(ParentError, match="parent series is empty"):
        ParentSeries(nothing)
    with pytest.raises(ParentError, match="there are no parent files"):
        ParentSeries.read(nothing)


def test_things_that_are_no_parents():
    with pytest.raises(ParentError, match="a parent is a int, not a pydicom Dataset"):
        ParentSeries([3])
    with pytest.raises(ParentError, match="cannot be made from a float"):
        ParentSeries.of(1.5)


def test_of_takes_what_a_caller_has(folder, slices):
    assert ParentSeries.of(None) is None
    series = ParentSeries.read(folder)
    assert ParentSeries.of(series) is series
    assert len(ParentSeries.of(folder)) == 6
    assert len(ParentSeries.of(str(folder))) == 6
    assert len(ParentSeries.of(sorted(folder.iterdir()))) == 6
    assert len(ParentSeries.of(slices())) == 6
    assert len(ParentSeries.of(slices()[0])) == 1
    assert list(ParentSeries(series)) == list(series)


def test_a_series_is_a_sequence_that_hides_the_patient(folder):
    series = ParentSeries.read(folder)
    assert series[0] is series.first
    assert list(series[1:3]) == list(series)[1:3]
    assert [path.name for path in series.files] == ["8.dcm", "7.dcm", "6.dcm", "5.dcm", "4.dcm", "3.dcm"]
    assert "P1" not in repr(series)
    assert "PixelData" not in series.first
