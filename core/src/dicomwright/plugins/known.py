"""Names that belong to the project's own distributions, installed or not.

Where such a distribution is installed, no other takes a name from it; where it is not, asking for the name
says which distribution has it.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["COMMANDS", "KNOWN", "KnownPlugin", "known_for_extension", "known_for_scheme", "known_owner"]


class KnownPlugin(NamedTuple):
    """One distribution of the project.

    Attributes
    ----------
    distribution : str
        Its name.
    plugin : str
        Its entry point.
    names : tuple of (str, str)
        Kind and name of what it provides.
    extensions : tuple of str
        Ends of the file names that its readers take.
    schemes : tuple of (str, str)
        Schemes of the destinations that its senders serve, with the sender.

    """

    distribution: str
    plugin: str
    names: tuple[tuple[str, str], ...]
    extensions: tuple[str, ...] = ()
    schemes: tuple[tuple[str, str], ...] = ()


#: The commands of dicomwright itself; no plug-in has their names.
COMMANDS = (
    "blueprint",
    "blueprints",
    "build",
    "bundle",
    "bundles",
    "explain",
    "learn",
    "lint",
    "plugins",
    "schema",
    "send",
    "validate",
)

_CODECS = (
    "rle",
    "jpeg-ls",
    "jpeg-ls-near",
    "jpeg2000",
    "jpeg2000-lossless",
    "htj2k",
    "htj2k-lossless",
    "htj2k-lossless-rpcl",
)

_ELEMENT_TYPES = (
    "lookup",
    "regex",
    "template",
    "first-of",
    "when",
    "hash-id",
    "date-shift",
    "counter",
    "code",
)

KNOWN: tuple[KnownPlugin, ...] = (
    KnownPlugin("dicomwright-codecs", "codecs", tuple(("codec", name) for name in _CODECS)),
    KnownPlugin("dicomwright-elements", "elements", tuple(("element-type", name) for name in _ELEMENT_TYPES)),
    KnownPlugin(
        "dicomwright-node",
        "node",
        (("command", "node"), ("sender", "dicom"), ("sender", "dicomweb")),
        schemes=(
            ("dicom", "dicom"),
            ("dicom+tls", "dicom"),
            ("http", "dicomweb"),
            ("https", "dicomweb"),
        ),
    ),
    KnownPlugin(
        "dicomwright-nifti",
        "nifti",
        (("reader", "nifti"),),
        (".nii", ".nii.gz", ".hdr", ".hdr.gz", ".img", ".img.gz"),
    ),
    KnownPlugin("dicomwright-pdf", "pdf", (("reader", "pdf"), ("encoder", "encapsulated-pdf")), (".pdf",)),
    KnownPlugin(
        "dicomwright-raw",
        "raw",
        (("reader", "raw"), ("reader", "numpy"), ("reader", "nrrd"), ("reader", "metaimage")),
        (".raw", ".bin", ".npy", ".npz", ".nrrd", ".nhdr", ".mha", ".mhd"),
    ),
    KnownPlugin(
        "dicomwright-sc",
        "sc",
        (("reader", "picture"), ("encoder", "secondary-capture")),
        (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp"),
    ),
    KnownPlugin(
        "dicomwright-validate", "validate", (("validator", "dciodvfy"), ("validator", "dicom-validator"))
    ),
)


def known_owner(kind: str, name: str) -> KnownPlugin | None:
    """Return the distribution that a name is reserved for; kind ``"plugin"`` means an entry point's name."""
    for known in KNOWN:
        if (kind, name) in known.names or (kind == "plugin" and name == known.plugin):
            return known
    return None


def known_for_extension(file_name: str) -> KnownPlugin | None:
    """Return the distribution whose readers take files of such a name."""
    for known in KNOWN:
        if file_name.lower().endswith(known.extensions):
            return known
    return None


def known_for_scheme(scheme: str) -> str:
    """Return the sender of the project that serves a scheme, installed or not; empty without one."""
    schemes = (pair for known in KNOWN for pair in known.schemes)
    return next((sender for name, sender in schemes if name == scheme), "")
