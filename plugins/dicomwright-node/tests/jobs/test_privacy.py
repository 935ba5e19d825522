"""Texts that people see are without patient data."""

from __future__ import annotations

from dicomwright_node.jobs.privacy import redacted, secrets_of


def test_each_component_of_a_value_is_hidden(make_series, write_series, tmp_path):
    elements = {"PatientID": "4711", "PatientName": "Doe^Jane", "OtherPatientIDs": ["88123", "99456"]}
    series = make_series("CT", shape=(1, 6, 4), elements=elements)
    found = secrets_of(write_series(series, tmp_path))
    assert redacted("no scan of 88123, 99456, 4711 or Jane", found) == (
        "no scan of [patient], [patient], [patient] or [patient]"
    )
