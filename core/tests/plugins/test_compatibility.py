"""Requirements on the core mean what packaging says they mean."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.requirements import Requirement

from dicomwright.plugins.compatibility import fits_core

releases = st.lists(st.integers(0, 3), min_size=1, max_size=4).map(lambda parts: ".".join(map(str, parts)))
clauses = st.lists(
    st.tuples(
        st.sampled_from([">=", "<=", ">", "<", "==", "!=", "~="]), releases.map(lambda text: f"{text}.1")
    ),
    min_size=1,
    max_size=3,
).map(lambda pairs: ", ".join(how + version for how, version in pairs))


@settings(max_examples=300)
@given(clauses, releases, st.sampled_from(["", "rc1", ".post1", ".dev3"]), st.sampled_from(["{}", " ( {} )"]))
def test_as_packaging(wanted, release, suffix, shape):
    text = "dicomwright" + shape.format(wanted)
    expected = Requirement(text).specifier.contains(release + suffix, prereleases=True)
    assert fits_core(text, release + suffix) is expected


@pytest.mark.parametrize(
    "text",
    ["dicomwright-nifti<0", "dicomwright_nifti<0", "dicomwright.x<0", "dicomwrights<0", "numpy<0", "%%", ""],
)
def test_requirements_on_others_are_not_ours(text):
    assert fits_core(text, "1.0")


@pytest.mark.parametrize(
    "text", ["dicomwright >>> 1", "dicomwright>=x", "dicomwright; nonsense", "dicomwright (>=1"]
)
def test_unreadable(text):
    with pytest.raises(ValueError, match="dicomwright"):
        fits_core(text, "1.0")
