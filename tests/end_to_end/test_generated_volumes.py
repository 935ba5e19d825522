"""Volumes of any shape, place and type: positions and values are proved on the written files."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
SLICINGS = ("native", "axial", "coronal", "sagittal")
DTYPES = ("u1", "i1", "<i2", ">i2", "<u2", "<i4", "<u4", "<f4", ">f4", "<f8", "<i8")
FEW = settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)


def turn(a, b, c):
    """Return a rotation from three angles."""
    z = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    y = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    x = np.array([[1, 0, 0], [0, np.cos(c), -np.sin(c)], [0, np.sin(c), np.cos(c)]])
    return z @ y @ x


@st.composite
def affines(draw):
    """Any grid with right angles: each of the 48 axis orders, turned, of three different steps."""
    angles = draw(st.tuples(*[st.floats(-0.7, 0.7)] * 3))
    order = draw(st.permutations(range(3)))
    signs = draw(st.tuples(*[st.sampled_from([-1.0, 1.0])] * 3))
    steps = draw(st.tuples(*[st.floats(0.3, 6.0)] * 3))
    affine = np.eye(4)
    affine[:3, :3] = turn(*angles) @ np.eye(3)[:, order] * signs * steps
    affine[:3, 3] = draw(st.tuples(*[st.floats(-300, 300)] * 3))
    return affine


@st.composite
def arrays(draw):
    """A small array with axes of different lengths, of any type that a NIfTI or numpy user has."""
    shape = draw(st.permutations([3, 4, 6]))
    dtype = np.dtype(draw(st.sampled_from(DTYPES)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    if dtype.kind == "f":
        scale = 10.0 ** draw(st.integers(-6, 6))
        return (rng.normal(size=shape) * scale).astype(dtype)
    limits = np.iinfo(dtype)
    low = max(limits.min, draw(st.sampled_from([-32768, -1000, 0])))
    high = min(limits.max, low + draw(st.sampled_from([200, 4000, 65535])))
    return rng.integers(low, high, size=shape, endpoint=True).astype(dtype)


def build(cli, path, out, *more):
    outcome = cli("build", path, "--out", out, "--json", *more)
    assert outcome.code == 0, outcome.err
    return outcome.result


@given(
    affine=affines(),
    array=arrays(),
    slicing=st.sampled_from(SLICINGS),
    blueprint=st.sampled_from(["mr", "ct"]),
)
@FEW
def test_any_nifti_maps_exactly(tmp_path_factory, cli, judge, nifti_file, affine, array, slicing, blueprint):
    folder = tmp_path_factory.mktemp("any")
    path = nifti_file(folder / "source.nii.gz", array, affine)
    result = build(
        cli, path, folder / "out", "--blueprint", f"{blueprint}-image", "--encoder-opt", f"slicing={slicing}"
    )
    judge(folder / "out", LPS @ affine, array, result)


@given(affine=affines(), array=arrays(), slicing=st.sampled_from(SLICINGS))
@settings(FEW, max_examples=40)
def test_any_volume_maps_exactly(tmp_path_factory, prove, affine, array, slicing):
    from dicomwright import Blueprint, DicomFactory, Volume

    folder = tmp_path_factory.mktemp("any")
    factory, blueprint = DicomFactory(), Blueprint.load("mr-image")
    series = factory.build(Volume(array, affine), blueprint, encoder_options={"slicing": slicing})
    series.write(folder / "out", fsync=False)
    proof = prove(folder / "out", affine, array)
    assert proof.distance_mm <= 0.01
    assert proof.value_error <= series.result["stored_values"]["max_abs_error"] + 1e-9 * np.abs(array).max()
    if array.dtype.kind in "iu":
        assert series.result["stored_values"]["lossless"]
        assert proof.value_error == 0


@pytest.mark.parametrize("signs", list(itertools.product([1, -1], repeat=3)), ids=str)
def test_every_axis_order_and_flip(tmp_path, prove, signs):
    from dicomwright import Blueprint, DicomFactory, Volume

    array = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
    for number, order in enumerate(itertools.permutations(range(3))):
        affine = np.eye(4)
        affine[:3, :3] = np.eye(3)[:, order] * signs * (2.5, 0.75, 1.25)
        affine[:3, 3] = (-31.5, 17.25, -105)
        for slicing in SLICINGS:
            out = tmp_path / f"{number}{slicing}"
            options = {"slicing": slicing}
            factory = DicomFactory()
            series = factory.build(Volume(array, affine), Blueprint.load("ct-image"), encoder_options=options)
            series.write(out, fsync=False)
            assert prove(out, affine, array) == (pytest.approx(0, abs=1e-6), 0)


@given(affine=affines(), noise=st.integers(0, 99))
@settings(FEW, max_examples=6)
def test_slicings_give_the_same_volume_to_other_readers(
    tmp_path_factory, cli, read_back, nifti_file, affine, noise
):
    folder = tmp_path_factory.mktemp("slicings")
    array = np.random.default_rng(noise).integers(-900, 900, (5, 7, 4)).astype(np.int16)
    path = nifti_file(folder / "source.nii", array, affine)
    for slicing in SLICINGS:
        options = ["--blueprint", "ct-image", "--encoder-opt", f"slicing={slicing}"]
        build(cli, path, folder / slicing, *options)
        for match in read_back(folder / slicing, LPS @ affine, array):
            assert match.corner_mm <= 0.01
            assert match.value_error == 0


@pytest.fixture(scope="session")
def nifti_file():
    """Return `nifti_file(path, array, affine) -> path` that keeps the affine to the last bit of float32."""
    import nibabel as nib

    def save(path, array, affine):
        if array.dtype.kind in "iu" and array.dtype.itemsize == 8:
            image = nib.Nifti1Image(array, affine, dtype=array.dtype)
        else:
            image = nib.Nifti1Image(array, affine)
        image.set_sform(affine, 1)
        image.set_qform(affine, 0)
        image.header.set_xyzt_units("mm")
        nib.save(image, path)
        return path

    return save


EDGES = {
    "zeros": np.zeros((3, 4, 5), np.float32),
    "constant": np.full((3, 4, 5), 7.25, np.float64),
    "constant negative": np.full((3, 4, 5), -3, np.int16),
    "all negative": -np.arange(1, 61, dtype=np.float32).reshape(3, 4, 5) / 7,
    "one voxel differs": np.pad(np.ones((1, 1, 1), np.float32), ((0, 2), (0, 3), (0, 4))) * 1e-7,
    "fractions": np.linspace(0, 1, 60).reshape(3, 4, 5),
    "huge": np.linspace(-1e30, 1e30, 60).reshape(3, 4, 5),
    "tiny": np.linspace(-1e-30, 1e-30, 60).reshape(3, 4, 5),
    "whole numbers as floats": np.arange(60, dtype=np.float32).reshape(3, 4, 5) - 30,
    "wide integers": (np.arange(60, dtype=np.int32).reshape(3, 4, 5) - 30) * 3000,
    "full int16": np.linspace(-32768, 32767, 60).astype(np.int16).reshape(3, 4, 5),
    "full uint16": np.linspace(0, 65535, 60).astype(np.uint16).reshape(3, 4, 5),
    "offset": np.arange(60, dtype=np.int64).reshape(3, 4, 5) + 10**7,
    "boolean": (np.arange(60).reshape(3, 4, 5) % 2).astype(bool),
    "half": np.linspace(-2, 2, 60).astype(np.float16).reshape(3, 4, 5),
    "one slice": np.arange(20, dtype=np.int16).reshape(1, 4, 5),
    "one row": np.arange(15, dtype=np.int16).reshape(3, 1, 5),
    "one column": np.arange(12, dtype=np.int16).reshape(3, 4, 1),
    "one pixel": np.array([[[5]]], np.int16),
}
OBLIQUE = np.eye(4)
OBLIQUE[:3, :3] = turn(0.3, -0.2, 0.5) @ np.diag([2.5, 0.75, 1.25])


@pytest.mark.parametrize("blueprint", ["mr-image", "ct-image", "pet-image"])
@pytest.mark.parametrize("name", EDGES)
def test_values_at_the_edge(tmp_path, prove, conformance, name, blueprint):
    from dicomwright import Blueprint, DicomFactory, DicomwrightError, Volume

    array = EDGES[name]
    try:
        series = DicomFactory().build(Volume(array, OBLIQUE), Blueprint.load(blueprint))
        files = series.write(tmp_path / "out", fsync=False)
    except DicomwrightError as error:
        refusal = str(error)
        assert name in ("wide integers", "offset"), refusal
        assert "quantise" in refusal or "label" in refusal
        return
    assert len(files) == array.shape[0]
    proof, stored = prove(tmp_path / "out", OBLIQUE, array), series.result["stored_values"]
    size = float(np.abs(array.astype(float)).max())
    assert proof.distance_mm <= 0.01
    assert proof.value_error <= stored["max_abs_error"] + 1e-9 * size
    span = float(array.max()) - float(array.min())
    assert stored["max_abs_error"] <= max(span, size if blueprint == "pet-image" else 0) / 65534 + 1e-9 * size
    assert conformance(tmp_path / "out", most=2) == []
