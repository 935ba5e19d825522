"""Transfer syntaxes: by name or UID, and the layer that a codec lays over all others."""

from __future__ import annotations

import re
from dataclasses import field
from typing import TYPE_CHECKING, Any, cast

from pydicom.uid import UID

from dicomwright._dataclass import dataclass
from dicomwright.blueprint.blueprint import Blueprint
from dicomwright.blueprint.copying import CopyElement, CopyOrElseElement, InstanceCopyElement
from dicomwright.encoders.codecs import CodecRequest
from dicomwright.encoders.compressed import Uncompressed, compressed_elements, lossy_elements
from dicomwright.engine.file_form import EXPLICIT_LE
from dicomwright.engine.rules import Layer
from dicomwright.errors import BlueprintError, PluginError
from dicomwright.plugins.options import complete_options

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dicomwright.encoders.api import Encoding
    from dicomwright.encoders.codecs import Compression
    from dicomwright.plugins import CodecSpec, PluginSet

__all__ = ["Transfer", "transfer"]

_UID = re.compile(r"[0-9]+(?:\.[0-9]+)+")
_COPIES = (CopyElement, CopyOrElseElement, InstanceCopyElement)
_DISTRIBUTION = "dicomwright-codecs"


@dataclass(frozen=True)
class Transfer:
    """How the instances of a build are encoded.

    Attributes
    ----------
    uid : str
        The transfer syntax.
    stored_values : callable
        Returns ``slope, intercept, max_abs_error, lossless``, or None.
    codec : dict, optional
        ``name``, ``distribution`` and ``version`` of the codec; None if nobody asked for one.
    layers : list of Layer
        What it lays over the others.
    lossy : bool
        Whether pixels change, so that the instances are others.

    """

    uid: str
    stored_values: Callable[[], dict[str, Any] | None]
    codec: dict[str, str] | None = None
    layers: list[Layer] = field(default_factory=list)
    lossy: bool = False


def transfer(
    name: str, options: Mapping[str, Any], encoding: Encoding, layers: list[Layer], plugin_set: PluginSet
) -> Transfer:
    """Return how instances are encoded: as the encoder has it, or as a codec, by name or UID, does it.

    Raises
    ------
    PluginError
        No codec has this name, or it has no such option.
    BlueprintError
        There are no pixels that could be compressed, or the blueprint copies the identity of others.

    """
    if not name:
        if options:
            raise PluginError(
                f"options of a codec ({', '.join(options)}), but no codec",
                hint="name the transfer syntax (--transfer-syntax)",
                kind="unknown-option",
            )
        return Transfer(encoding.transfer_syntax_uid, encoding.stored_values)
    spec = _spec(name, plugin_set)
    if encoding.transfer_syntax_uid not in (EXPLICIT_LE, spec.uid):
        raise BlueprintError(
            f"the encoder writes {UID(encoding.transfer_syntax_uid).name}, which is not changed to {spec.name}",
            hint="leave the transfer syntax out",
            kind="transfer-syntax",
        )
    image = Uncompressed(layers, encoding.count)
    chosen = complete_options(spec, options)
    request = CodecRequest(spec.name, spec.uid, encoding.count, image.frames, image.layout, chosen)
    registry = plugin_set.registry("codec")
    compression = registry.call(spec.name, "compression", request)
    provider = registry.provider(spec.name)
    told = {"name": spec.name, "distribution": provider.distribution, "version": provider.version}
    if compression is None:
        return Transfer(spec.uid, encoding.stored_values, told)
    return _compressed(spec, chosen, compression, image, encoding, told)


def _spec(name: str, plugin_set: PluginSet) -> CodecSpec:
    """Return the codec of a name or UID."""
    registry = plugin_set.registry("codec")
    if not _UID.fullmatch(name):
        return cast("CodecSpec", registry.spec(name))
    specs = [cast("CodecSpec", registry.spec(one)) for one in registry.names()]
    found = [spec for spec in specs if spec.uid == name]
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(spec.name for spec in found)
        raise PluginError(f"several codecs write {name}: {names}", hint="name one", kind="name-conflict")
    absent = all(registry.provider(spec.name).distribution != _DISTRIBUTION for spec in specs)
    known = f" ({UID(name).name})" if UID(name).name != name else ""
    hint = f"python -m pip install {_DISTRIBUTION} for RLE, JPEG-LS, JPEG 2000 and HTJ2K; " if absent else ""
    raise PluginError(
        f"no codec that is installed writes the transfer syntax {name}{known}",
        hint=f"{hint}installed are {', '.join(spec.name for spec in specs)}",
        kind="unknown-name",
    )


def _compressed(
    spec: CodecSpec,
    options: Mapping[str, str],
    compression: Compression,
    image: Uncompressed,
    encoding: Encoding,
    told: dict[str, str],
) -> Transfer:
    """Return the transfer of compressed pixels."""
    if image.bulk is None:
        raise BlueprintError(
            f"there are no pixels that an encoder made, so that {spec.name} has nothing to compress",
            hint="choose explicit-le, implicit-le or deflated",
            kind="transfer-syntax",
        )
    elements = list(compressed_elements(spec.name, compression, image, sorted(options.items())))
    if spec.lossy:
        _check_identity(spec, image)
        elements += lossy_elements(compression, image)
    for element in elements:
        element.origin = f"codec {spec.name}"
    stored = (lambda: _with_loss(compression, encoding)) if spec.lossy else encoding.stored_values
    layers = [Layer(f"codec {spec.name}", Blueprint(elements))]
    return Transfer(spec.uid, stored, told, layers, spec.lossy)


def _check_identity(spec: CodecSpec, image: Uncompressed) -> None:
    """Refuse the identity of another object for pixels that are changed (PS3.4 B.4.1)."""
    element = image.element("SOPInstanceUID")
    if isinstance(element, _COPIES):
        raise BlueprintError(
            f"SOPInstanceUID (0008,0018) is copied from the parent, but {spec.name} changes pixels, which makes "
            "another object",
            hint="leave SOPInstanceUID out of the blueprint, or choose a transfer syntax without loss",
            loc=element.origin,
            kind="identity",
        )


def _with_loss(compression: Compression, encoding: Encoding) -> dict[str, Any]:
    """Return what is said of stored values, with the error of the compression; all instances are compressed for it."""
    plain = encoding.stored_values() or {"slope": 1.0, "intercept": 0.0, "max_abs_error": 0.0}
    largest = max((compression.loss(index).error for index in range(encoding.count)), default=0.0)
    error = plain["max_abs_error"] + abs(plain["slope"]) * largest
    return plain | {"max_abs_error": error, "lossless": plain.get("lossless", True) and error == 0}
