from __future__ import annotations

import datetime as dt

import pytest

from dicomwright.blueprint.environment import InstanceEnvironment
from dicomwright.blueprint.values import check_value, normalise
from dicomwright.bundles import functions
from dicomwright.clock import frozen_instant

INSTANT = dt.datetime(2026, 11, 24, 9, 30, 15, 123456, tzinfo=dt.timezone(dt.timedelta(hours=1)))


@pytest.mark.parametrize(
    ("function", "tag", "vr", "text"),
    [
        (functions.today, "StudyDate", "DA", "20261124"),
        (functions.time_now, "StudyTime", "TM", "093015"),
        (functions.now, "AcquisitionDateTime", "DT", "20261124093015+0100"),
        (functions.now, "StudyTime", "TM", "093015"),
        (functions.now, "StudyDate", "DA", "20261124"),
    ],
)
def test_dates_are_of_the_instant_of_the_build(function, tag, vr, text):
    with frozen_instant(INSTANT):
        value = normalise(tag, vr, function())
    assert value == text
    assert check_value(tag, vr, value) == []


def test_a_build_without_an_instant_leaves_dates_empty():
    with frozen_instant(None):
        assert functions.today() is functions.now() is functions.time_now() is None


def test_numbers_of_instances():
    env = InstanceEnvironment(instance_number=3, total_images=5)
    assert (functions.instance_number(env), functions.total_images(env)) == (3, 5)


def test_uids_are_valid_and_new():
    uids = {functions.uid() for _ in range(3)}
    assert len(uids) == 3
    assert all(check_value("StudyInstanceUID", "UI", uid) == [] for uid in uids)
