"""The multipart parser, cut anywhere."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from dicomwright_node.receive.multipart import Begin, Data, End, MultipartReader

NEARLY = [b"", b"\r\n", b"\r\n--", b"\r\n--b", b"--b", b"\r\n--bX", b"\r", b"\r\n\r\n"]
PART = st.binary(max_size=300) | st.sampled_from(NEARLY)


def parts_of(events):
    found = []
    for event in events:
        if isinstance(event, Begin):
            found.append(b"")
        elif isinstance(event, Data):
            found[-1] += event.data
        else:
            assert isinstance(event, End)
    return found


@given(
    parts=st.lists(PART.filter(lambda part: b"\r\n--b0" not in part), max_size=5),
    cuts=st.lists(st.integers(1, 40), min_size=1, max_size=30),
    tail=st.binary(max_size=20),
)
def test_what_went_in_comes_out_wherever_the_body_is_cut(parts, cuts, tail):
    data = (
        b"".join(b"--b0\r\nContent-Type: a/b\r\n\r\n" + part + b"\r\n" for part in parts) + b"--b0--" + tail
    )
    reader = MultipartReader("b0")
    events, at, number = [], 0, 0
    while at < len(data):
        size = cuts[number % len(cuts)]
        events += reader.feed(data[at : at + size])
        at, number = at + size, number + 1
    assert reader.complete
    assert parts_of(events) == parts
    assert sum(isinstance(event, End) for event in events) == len(parts)


@given(st.binary(max_size=500), st.integers(1, 50))
def test_any_bytes_end_in_events_or_a_value_error(data, size):
    reader = MultipartReader("b")
    with suppress(ValueError):
        for at in range(0, len(data), size):
            assert all(isinstance(event, Begin | Data | End) for event in reader.feed(data[at : at + size]))
