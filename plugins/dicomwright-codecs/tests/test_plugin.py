"""The codecs are registered as any third party's, and refuse what they cannot do."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from pydicom.uid import UID

from dicomwright import Blueprint, DicomFactory, Volume
from dicomwright.encoders.codecs import PixelLayout
from dicomwright.errors import BlueprintError, PluginError
from dicomwright.plugins.known import known_owner


def ours(plugin_set):
    registry = plugin_set.registry("codec")
    specs = map(registry.spec, registry.names())
    return [spec for spec in specs if registry.provider(spec.name).distribution == "dicomwright-codecs"]


def test_record(plugin_set):
    (record,) = [one for one in plugin_set.records if one.distribution == "dicomwright-codecs"]
    assert (record.name, record.status, record.reason, record.kinds) == ("codecs", "loaded", "", ("codec",))


def test_uids_are_those_of_transfer_syntaxes(plugin_set):
    assert len(ours(plugin_set)) == 8
    for spec in ours(plugin_set):
        assert UID(spec.uid).is_transfer_syntax
        assert spec.lossy == bool(spec.options)
        assert known_owner("codec", spec.name).distribution == "dicomwright-codecs"


def test_registration_is_light():
    code = (
        "import dicomwright_codecs.plugin, sys; print({'numpy', 'pydicom', 'imagecodecs'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_a_syntax_that_nobody_writes(build):
    with pytest.raises(PluginError) as caught:
        build("1.2.840.10008.1.2.4.50")
    assert (
        "no codec that is installed writes the transfer syntax 1.2.840.10008.1.2.4.50 (JPEG Baseline"
        in str(caught.value)
    )
    assert "jpeg-ls-near" in str(caught.value)


def test_a_name_that_is_nearly_right(build):
    with pytest.raises(PluginError, match=r'there is no codec "jpeg2k".*did you mean jpeg2000\?'):
        build("jpeg2k")


def test_an_encoder_that_is_absent(monkeypatch):
    volume = Volume(np.zeros((1, 2, 3), "i2"), np.diag([5.0, 2.0, 1.5, 1.0])[[2, 1, 0, 3]])
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    with pytest.raises(PluginError) as caught:
        DicomFactory().build(volume, Blueprint.load("ct-image"), transfer_syntax="htj2k")
    assert str(caught.value) == (
        'codec "htj2k" needs the Python module "imagecodecs", which is not installed; '
        "python -m pip install dicomwright-codecs"
    )


@pytest.mark.parametrize(
    ("layout", "text"),
    [
        (PixelLayout(2, 3, 1, 1, 1, False, "MONOCHROME2"), "it has 1 bit a sample; 8 and 16 bits can be"),
        (PixelLayout(2, 3, 1, 32, 32, False, "MONOCHROME2"), "it has 32 bits a sample; 8 and 16 bits can be"),
        (PixelLayout(2, 3, 1, 16, 8, False, "MONOCHROME2"), "of the 16 bits of a sample only 8 are used"),
        (
            PixelLayout(2, 3, 3, 8, 8, False, "YBR_FULL"),
            "it has 3 samples a pixel and PhotometricInterpretation",
        ),
    ],
)
def test_pixels_that_are_refused(compressed, layout, text):
    _, compression = compressed("rle", np.zeros((1, 2, 3), "u1"))
    (problem,) = compression.problems(layout)
    assert problem.startswith(text)


def test_images_too_small_for_jpeg_2000_are_refused(build):
    with pytest.raises(
        BlueprintError, match="image 1 cannot be written as jpeg2000: it has 31 rows and 90 columns"
    ):
        build("jpeg2000", np.zeros((2, 31, 90), "i2"))


def test_near_beyond_the_range_is_refused(compressed):
    _, compression = compressed("jpeg-ls-near", np.full((1, 40, 50), 7, "u2"), {"near": "200"})
    (problem,) = compression.problems(PixelLayout(2, 3, 1, 8, 8, False, "MONOCHROME2"))
    assert problem == "near=200 is more than half of what its 8 bits hold"


def test_no_pixels_no_compression(plugin_set):
    from dicomwright.build import Build, BuildOptions, plain_encoding

    build = Build(None, BuildOptions(transfer_syntax="rle"), plugin_set)
    with pytest.raises(
        BlueprintError, match="no pixels that an encoder made, so that rle has nothing to compress"
    ):
        build.series(plain_encoding(None, None, 1), Blueprint(), None)
