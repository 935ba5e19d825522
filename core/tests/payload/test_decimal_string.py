"""Decimal strings: as near as 16 characters allow, and on the right side."""

from __future__ import annotations

import math
import re
import struct

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydicom.valuerep import format_number_as_ds

from dicomwright.errors import StoredValueError
from dicomwright.payload import ds, ds_down, ds_up

LEGAL = re.compile(r"-?\d+(\.\d+)?(e-?\d+)?")
FINITE = st.floats(allow_nan=False, allow_infinity=False)
LARGEST = 1.7976931348623157e308


@settings(deadline=None)
@given(FINITE)
@example(LARGEST)
@example(-LARGEST)
@example(5e-324)
@example(9.999999999999999e22)
@example(0.00099999999999999999)
@example(-1234567890123456.0)
def test_is_legal_and_at_least_as_near_as_pydicoms(value):
    text = ds(value)
    assert LEGAL.fullmatch(text)
    assert len(text) <= 16
    assert math.isfinite(float(text))
    reference = float(format_number_as_ds(value))
    if math.isfinite(reference):
        assert abs(float(text) - value) <= abs(reference - value)


@settings(deadline=None)
@given(FINITE)
@example(-LARGEST)
@example(5e-324)
@example(1 / 3)
def test_up_and_down_enclose_the_value_tightly(value):
    try:
        below, above = ds_down(value), ds_up(value)
    except StoredValueError:
        assert abs(value) > 1.797e308
        return
    for text in (below, above):
        assert LEGAL.fullmatch(text)
        assert len(text) <= 16
    assert float(below) <= value <= float(above)
    # 16 characters hold at least 8 significant digits: "-1.2345678e-308" and one more.
    assert float(above) - float(below) <= max(abs(value) * 2e-8, 5e-324)
    assert float(below) <= float(ds(value)) <= float(above)


@settings(deadline=None)
@given(st.integers(-(10**15) + 1, 10**16 - 1))
def test_whole_numbers_that_fit_are_exact(number):
    assert float(ds(number)) == float(number)


@settings(deadline=None)
@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_single_precision_numbers_come_back(value):
    if abs(value) > 1e-37:  # subnormal numbers have fewer digits than any text
        assert struct.pack("f", float(ds(value))) == struct.pack("f", value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (-0.0, "0"),
        (1, "1"),
        (-1024.0, "-1024"),
        (0.1, "0.1"),
        (1e20, "1e20"),
        (1e-5, "1e-5"),
        (1 / 3, "0.33333333333333"),
        (-1 / 3, "-0.3333333333333"),
        (2 / 3, "0.66666666666667"),
        (-9.730698433127277, "-9.7306984331273"),
        (-9.9999999999999996, "-10"),
        (1 / 65535, "1.52590218967e-5"),
        (99999999999999.97, "100000000000000"),
    ],
)
def test_texts(value, text):
    assert ds(value) == text


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_refuses_what_is_no_number(value):
    for function in (ds, ds_up, ds_down):
        with pytest.raises(StoredValueError, match="cannot be written as a decimal string"):
            function(value)


def test_nothing_is_above_the_largest_double():
    with pytest.raises(StoredValueError, match="too large for a decimal string"):
        ds_up(LARGEST)


@settings(deadline=None, max_examples=300)
@given(st.floats(1e-6, 1e17), st.sampled_from([1, -1]))
def test_no_other_text_of_16_characters_is_nearer(magnitude, sign):
    value = magnitude * sign
    others = [f"{value:.{digits}f}" for digits in range(15)]
    others += [
        f"{value:.{digits}e}".replace("e+", "e").replace("e0", "e").replace("e-0", "e-")
        for digits in range(15)
    ]
    nearest = min(abs(float(text) - value) for text in others if len(text) <= 16)
    assert abs(float(ds(value)) - value) <= nearest
