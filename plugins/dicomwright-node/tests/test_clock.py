"""A clock that was ahead, and is right again, keeps nothing waiting."""

from __future__ import annotations

import time

from dicomwright_node.store import Store, deliveries, jobs, upkeep

DAY = 86400.0


def test_what_a_clock_ahead_wrote_down_does_not_wait_for_that_time(tmp_path, monkeypatch):
    store, now = Store.open(tmp_path / "node"), time.time()
    clock = [now + DAY]
    monkeypatch.setattr("time.time", lambda: clock[0])
    collecting = jobs.assign(store.database, "P", "1", [])
    waiting = jobs.assign(store.database, "P", "2", [])
    jobs.move(store.database, waiting.id, "collecting", "ready", not_before=now + DAY + 5)
    sending = jobs.assign(store.database, "P", "3", [])
    jobs.move(store.database, sending.id, "collecting", "ready")
    jobs.claim(store.database, "ready", "running", "w")
    output = deliveries.NewOutput(
        kind="dicom", path="outputs/3-1/01", files=1, size=1, destinations={"dicom://A@h:1": {}}
    )
    deliveries.finish(store.database, sending.id, [output])
    row = deliveries.claim(store.database, "w")
    deliveries.conclude(store.database, row.id, "pending", not_before=now + DAY + 10)
    clock[0] = now
    assert deliveries.claim(store.database, "w") is None
    assert jobs.claim(store.database, "ready", "running", "w") is None
    assert upkeep.mend_times(store.database) > 0
    assert jobs.get(store.database, collecting.id).last_input_at == now
    assert deliveries.claim(store.database, "w").id == row.id
    assert jobs.claim(store.database, "ready", "running", "w").id == waiting.id
    assert upkeep.mend_times(store.database) == 0
    store.close()


def test_waits_of_a_clock_that_is_right_are_kept(tmp_path):
    store = Store.open(tmp_path / "node")
    job = jobs.assign(store.database, "P", "1", [])
    jobs.move(store.database, job.id, "collecting", "ready", not_before=time.time() + DAY)
    assert upkeep.mend_times(store.database) == 0
    assert jobs.claim(store.database, "ready", "running", "w") is None
    store.close()
