from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomwright import Level, SeriesEnvironment
from dicomwright_elements.dates import shifted_date, shifted_datetime

KEYED = '{ date-shift = "env:SITE_KEY" }'


@pytest.mark.parametrize(
    ("keyword", "given", "days", "expected"),
    [
        ("StudyDate", "20240301", -1, "20240229"),
        ("StudyDate", "20230301", -1, "20230228"),
        ("StudyDate", "20231231", 1, "20240101"),
        ("StudyDate", "20240301", 0, "20240301"),
        ("AcquisitionDateTime", "20240301000000", -1, "20240229000000"),
        ("AcquisitionDateTime", "20240301120000.123456+0130", -366, "20230301120000.123456+0130"),
        ("AcquisitionDateTime", "2024", 10, "2024"),
        ("AcquisitionDateTime", "202401-0500", 31, "202402-0500"),
        ("AcquisitionDateTime", "2024030112", 1, "2024030212"),
        ("StudyDate", "", 5, ""),
    ],
)
def test_a_number_of_days(values, keyword, given, days, expected):
    assert values(keyword, f"{{ date-shift = {days} }}", parents={keyword: [given]}) == [expected] * 3


def test_by_a_key_the_intervals_stay(series, key):
    rules = "\n".join(f"{name} = {KEYED}" for name in ("StudyDate", "AcquisitionDate", "PatientBirthDate"))
    parents = {"StudyDate": ["20240305"], "AcquisitionDate": ["20240307"], "PatientBirthDate": ["19800229"]}
    one = series(rules, parents=parents)[0]
    study, acquisition, birth = (
        dt.datetime.strptime(text, "%Y%m%d").replace(tzinfo=dt.UTC)
        for text in (one.StudyDate, one.AcquisitionDate, one.PatientBirthDate)
    )
    assert acquisition - study == dt.timedelta(days=2)
    days = (dt.datetime(2024, 3, 5, tzinfo=dt.UTC) - study).days
    assert 1 <= days <= 365
    assert (dt.datetime(1980, 2, 29, tzinfo=dt.UTC) - birth).days == days
    assert key


@pytest.mark.usefixtures("key")
def test_patients_have_shifts_of_their_own_within_the_limit(values):
    parents = {"StudyDate": ["20240305"]}
    rule = '{ date-shift = "env:SITE_KEY", within = 30 }'
    found = {values("StudyDate", rule, parents={**parents, "PatientID": [f"p{n}"]})[0] for n in range(8)}
    assert len(found) > 3
    assert all("20240204" <= text < "20240305" for text in found)
    by_study = '{ date-shift = "env:SITE_KEY", patient = "StudyID" }'
    assert len(set(values("StudyDate", by_study, parents={**parents, "StudyID": ["9"]}))) == 1


@pytest.mark.usefixtures("key")
def test_where_there_is_no_date_nobody_asks_for_the_patient(series):
    rule = 'AcquisitionDateTime = { date-shift = "env:SITE_KEY", of = { copy = "optional" } }'
    for parents in (None, {"PatientID": [""]}):
        assert all("AcquisitionDateTime" not in one for one in series(rule, parents=parents))


@pytest.mark.usefixtures("key")
def test_each_instance_by_its_paired_parent(series):
    rule = 'AcquisitionDate = { date-shift = -1, of = "copy-instance" }'
    made = series(rule, parents={"AcquisitionDate": ["20240101", "20240102", "20240301"]})
    assert [one.AcquisitionDate for one in made] == ["20231231", "20240101", "20240229"]


def test_a_fixed_date_is_static(blueprint):
    element = blueprint("StudyDate = { date-shift = 1, of = { static = 2024-02-28 } }")["StudyDate"]
    assert element.level is Level.STATIC
    assert element.resolve(SeriesEnvironment()) == "20240229"


def test_refusals(refusal, monkeypatch):
    monkeypatch.delenv("SITE_KEY", raising=False)
    assert "SITE_KEY is not set" in refusal("StudyDate", KEYED)
    monkeypatch.setenv("SITE_KEY", "a key for tests, and no secret")
    assert "which the parent does not have" in refusal("StudyDate", KEYED, parents={"PatientID": [""]})
    assert "which differs between the parent's instances; name another tag with patient" in refusal(
        "StudyDate",
        '{ date-shift = "env:SITE_KEY", patient = "AcquisitionTime" }',
        parents={"AcquisitionTime": ["101010", "101011", "101012"]},
    )
    assert "before year 1 or after 9999" in refusal(
        "StudyDate", "{ date-shift = 36525 }", parents={"StudyDate": ["99991231"]}
    )
    with pytest.warns(UserWarning, match="Invalid value"):
        text = refusal(
            "AcquisitionDateTime",
            '{ date-shift = 1, of = "copy" }',
            parents={"AcquisitionDateTime": ["20249999"]},
        )
    assert "cannot be moved" in text
    assert "20249999" not in text


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("StudyTime = { date-shift = 1 }", "StudyTime (0008,0030) has VR TM, and date-shift makes DA, DT"),
        ("StudyDate = { date-shift = 1.5 }", "not a whole number or a text"),
        ('StudyDate = { date-shift = "secret" }', "the key itself never stands in a blueprint"),
        ("StudyDate = { date-shift = 99999 }", "at most 36525"),
        ("StudyDate = { date-shift = 5, within = 3 }", "for shifts by a key"),
        ('StudyDate = { date-shift = "env:A", within = 0 }', "1 to 36525 days"),
        ('StudyDate = { date-shift = "env:A", patient = "Pat" }', "patient"),
        ('StudyDate = "date-shift"', "date-shift needs a number of days"),
    ],
)
def test_what_is_wrong(problems, rule, expected):
    assert expected in "\n".join(problems(rule))


@pytest.mark.parametrize(
    "text", ["2024013", "20240230", "x", "2024-01-01", "20240101120000.1234567", "202413", "00000101"]
)
def test_what_is_no_date(text):
    with pytest.raises(ValueError, match=r"date|month|day|year"):
        shifted_date(text, 1)
    with pytest.raises(ValueError, match=r"date|month|day|year"):
        shifted_datetime(text, 1)


_dates = st.dates(dt.date(200, 1, 1), dt.date(9800, 1, 1))


@given(_dates, st.integers(-36525, 36525))
def test_there_and_back(date, days):
    text = f"{date.year:04d}{date:%m%d}"
    moved = shifted_date(text, days)
    assert shifted_date(moved, -days) == text
    assert shifted_datetime(text + "0930-0100", days) == moved + "0930-0100"


@given(_dates, _dates, st.integers(-36525, 36525))
def test_the_order_stays(one, two, days):
    texts = [f"{date.year:04d}{date:%m%d}" for date in sorted((one, two))]
    moved = [shifted_date(text, days) for text in texts]
    assert moved == sorted(moved)


@given(_dates, st.integers(-500, 500), st.sampled_from([4, 6]))
def test_partial_dates_stay_partial(date, days, length):
    text = f"{date.year:04d}{date:%m}"[:length]
    assert len(shifted_datetime(text, days)) == length
