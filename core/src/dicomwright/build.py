"""One build from beginning to end: read, encode, lay blueprints over each other, compile."""

from __future__ import annotations

import os
import time
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from dicomwright._dataclass import dataclass
from dicomwright.blueprint.blueprint import Blueprint, FillingStrategy
from dicomwright.blueprint.copying import CopyElement
from dicomwright.blueprint.elements import FunctionalElement, StaticElement
from dicomwright.blueprint.environment import SeriesEnvironment
from dicomwright.blueprint.resolution import OMIT
from dicomwright.bundles.load import shipped_blueprint
from dicomwright.encoders.api import EncodeRequest, Encoding
from dicomwright.encoders.context import Derivation, derived_context
from dicomwright.encoders.elements import InstanceNumberElement
from dicomwright.engine.compile import compile_plan
from dicomwright.engine.request import BuildRequest
from dicomwright.engine.rules import Layer, owned
from dicomwright.engine.series import BuildReport, Series
from dicomwright.errors import BlueprintError, PluginError, SourceError
from dicomwright.filling import filled_from
from dicomwright.lint import Allowance
from dicomwright.lint.gate import Gate
from dicomwright.parents import ParentSeries
from dicomwright.payload import Document, Frames, Volume
from dicomwright.plugins import default
from dicomwright.plugins.options import complete_options
from dicomwright.plugins.selection import choose_reader
from dicomwright.provenance import contributing_equipment
from dicomwright.reproducible import derived_instant, derived_uids
from dicomwright.standard import iod_of
from dicomwright.transfer_syntax import transfer
from dicomwright.uids import BuildUids, gen_uid

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from dicomwright.plugins import EncoderSpec, PluginSet, ReaderSpec
    from dicomwright.transfer_syntax import Transfer

__all__ = ["Build", "BuildOptions", "sop_class_of"]

_SOP_CLASS = 0x00080016
_OWN = "dicomwright"  # distribution and layer
_PAYLOADS = (Volume, Frames, Document)


@dataclass(frozen=True)
class BuildOptions:
    """How to build, besides what and from what.

    Attributes
    ----------
    kwargs : mapping
        Handed to the functions of the blueprint.
    reader, encoder : str, optional
        Name of the plug-in to use; chosen by the source if not given.
    reader_options, encoder_options : mapping
        Options of the reader and the encoder.
    filling_strategy : FillingStrategy
        What becomes of the parent's tags that no blueprint names.
    keep_private : bool
        Whether COPY takes private blocks too.
    uids : str
        ``random``, or ``derived``: a function of what is built.
    instant : datetime, optional
        What dates are taken from; with ``derived`` UIDs, else that of the parents.
    derivation : Derivation
        What the user says of how the images were made.
    allow : tuple of str
        Findings of lint that do not stop the build: see `dicomwright.lint.Allowance`.
    transfer_syntax : str
        Name of a codec or UID of what it writes; empty for what the encoder writes.
    codec_options : mapping
        Options of the codec.

    """

    kwargs: Mapping[Any, Any] = field(default_factory=dict)
    reader: str | None = None
    encoder: str | None = None
    reader_options: Mapping[str, Any] = field(default_factory=dict)
    encoder_options: Mapping[str, Any] = field(default_factory=dict)
    filling_strategy: FillingStrategy = FillingStrategy.DISCARD
    keep_private: bool = False
    uids: str = "random"
    instant: dt.datetime | None = None
    derivation: Derivation = field(default_factory=Derivation)
    allow: tuple[str, ...] = ()
    transfer_syntax: str = ""
    codec_options: Mapping[str, Any] = field(default_factory=dict)


class Build:
    """A build under way.

    Parameters
    ----------
    factory : DicomFactory
        Who builds.
    options : BuildOptions
        How.
    plugin_set : PluginSet, optional
        The plug-ins; all that are installed if not given.

    """

    def __init__(self, factory: Any, options: BuildOptions, plugin_set: PluginSet | None) -> None:
        if options.uids not in ("random", "derived"):
            raise BlueprintError(f"uids={options.uids!r} is not 'random' or 'derived'")
        self.factory = factory
        self.options = options
        self.plugin_set = plugin_set or default()
        self.report = BuildReport()
        self._encoder = options.encoder
        self._start = time.perf_counter()

    def run(self, source: Any, blueprint: Blueprint, parents: Any) -> Series:
        """Read, encode and compile."""
        _check_blueprint(blueprint)
        self._encoder = self.options.encoder or self._encoder_of(blueprint)
        payload = self.report.payload = self.payload(source)
        parent_series = ParentSeries.of(parents)
        encoding = self.encode(payload, blueprint, parent_series)
        return self.series(encoding, blueprint, parent_series)

    def payload(self, source: Any) -> Any:
        """Return a source as a payload."""
        if isinstance(source, _PAYLOADS):
            return source
        if isinstance(source, str | Path) or hasattr(source, "__fspath__"):
            return self._read(Path(source))
        if isinstance(source, bytes | bytearray) and self.options.reader:
            return self._from_bytes(bytes(source), self.options.reader)
        if hasattr(source, "dataobj"):
            return self.reader("nifti").from_image(source, self._reader_options("nifti"))
        if type(source).__module__.partition(".")[0] == "PIL":
            return self.reader("picture").from_image(source, self._reader_options("picture"))
        if hasattr(source, "__array__"):
            return Volume(source)
        raise SourceError(
            f"nothing can be built from a {type(source).__name__}",
            hint="give a path, a numpy array, a Volume, a nibabel image, or bytes and the name of their reader",
            kind="source",
        )

    def _from_bytes(self, source: bytes, name: str) -> Any:
        """Read bytes by a reader that can."""
        reader = self.reader(name)
        if not hasattr(reader, "from_bytes"):
            message = f"the reader {name!r} reads files, not bytes"
            raise SourceError(message, hint="write them to a file and give its path", kind="source")
        return reader.from_bytes(source, self._reader_options(name))

    def reader(self, name: str) -> Any:
        """Return a reader by name and note that it did the work."""
        registry = self.plugin_set.registry("reader")
        reader = registry.resolve(name)
        self.report.reader = self._provider("reader", name)
        return reader() if isinstance(reader, type) else reader

    def encode(self, payload: Any, blueprint: Blueprint, parents: ParentSeries | None) -> Encoding:
        """Let an encoder say how the payload becomes instances."""
        name = self._encoder or self._encoder_for(payload)
        self._check_takes(name, payload)
        self.report.encoder = self._provider("encoder", name)
        request = EncodeRequest(
            sop_class_uid=sop_class_of(blueprint, parents),
            blueprint=blueprint,
            parents=parents,
            options=self._options("encoder", name, self.options.encoder_options),
        )
        found = self.plugin_set.registry("encoder").call(name, "encode", payload, request, gives=Encoding)
        return cast("Encoding", found)

    def series(self, encoding: Encoding, blueprint: Blueprint, parents: ParentSeries | None) -> Series:
        """Compile the blueprints into a series."""
        _check_blueprint(blueprint)
        self.report.bundles = [{"name": name, **one} for name, one in blueprint.bundles.items()]
        layers = self.layers(encoding, blueprint, parents)
        written, form = self.transferred(layers, encoding)
        gate = self._gate(_built_class(encoding, blueprint, parents))
        request = BuildRequest(
            layers=written,
            count=encoding.count,
            parents=parents,
            pairs=encoding.pairs,
            pairing_problem=encoding.pairing_problem,
            images=encoding.images,
            kwargs=self.options.kwargs,
            factory=self.factory,
            uids=self._uids(written if form.lossy else layers, encoding, parents),
            instant=self._instant(parents),
            transfer_syntax_uid=form.uid,
            check=gate,
        )
        self.report.warnings += [
            *self.plugin_set.warnings,
            *(parents.warnings if parents else ()),
            *encoding.warnings,
        ]
        plan = compile_plan(request)
        self.report.warnings += [*plan.warnings, *(gate.warnings if gate else ())]
        self.report.stored_values = form.stored_values
        self.report.seconds = time.perf_counter() - self._start
        return Series(plan, self.report)

    def _read(self, path: Path) -> Any:
        """Read a file."""
        name, reader = choose_reader(path, self.plugin_set, self.options.reader)
        self.report.reader = self._provider("reader", name)
        options = self._reader_options(name)
        with self.plugin_set.registry("reader").using(name):
            payload = reader.read(path, options)
        if not isinstance(payload, _PAYLOADS):
            raise PluginError(
                f"the reader {name!r} gave a {type(payload).__name__}, not a Volume, Frames or Document",
                hint=f"report this to the makers of {self.report.reader['distribution']}",
                loc=str(path),
            )
        return payload

    def _reader_options(self, name: str) -> dict[str, str]:
        """Return the options of a reader.

        A reader that can give several payloads has the option ``payload``. Unless the user says otherwise, it is
        told the payloads that the encoder takes, where the encoder is known.
        """
        given = dict(self.options.reader_options)
        spec = cast("ReaderSpec", self.plugin_set.registry("reader").spec(name))
        if self._encoder and any(option.name == "payload" for option in spec.options):
            given.setdefault("payload", ",".join(self._encoder_spec(self._encoder).payloads))
        return self._options("reader", name, given)

    def _encoder_of(self, blueprint: Blueprint) -> str | None:
        """Return the only encoder that says that it makes the blueprint's SOP class."""
        if _SOP_CLASS not in blueprint or not isinstance(blueprint[_SOP_CLASS], StaticElement):
            return None
        sop_class = str(cast("StaticElement", blueprint[_SOP_CLASS]).value)
        names = [
            name
            for name in self.plugin_set.registry("encoder").names()
            if sop_class in self._encoder_spec(name).sop_classes
        ]
        return names[0] if len(names) == 1 else None

    def _encoder_spec(self, name: str) -> EncoderSpec:
        return cast("EncoderSpec", self.plugin_set.registry("encoder").spec(name))

    def _check_takes(self, name: str, payload: Any) -> None:
        """Refuse a payload that the encoder does not take."""
        kind, payloads = type(payload).__name__, self._encoder_spec(name).payloads
        if kind not in payloads:
            raise PluginError(
                f"the encoder {name!r} takes {' or '.join(payloads)}, and the source is a {kind}",
                hint="name another encoder (--encoder), or start from the blueprint of another kind of object",
                loc=str(getattr(payload, "source", "")),
                kind="payload",
            )

    def _encoder_for(self, payload: Any) -> str:
        """Return the encoder that takes a payload, the built-in one first."""
        registry = self.plugin_set.registry("encoder")
        kind = type(payload).__name__
        names = [
            name for name in registry.names() if kind in cast("EncoderSpec", registry.spec(name)).payloads
        ]
        if "image" in names or len(names) == 1:
            return "image" if "image" in names else names[0]
        if not names:
            raise PluginError(
                f"no encoder that is installed takes a {kind}",
                hint=f"installed are: {', '.join(registry.names())}",
            )
        raise PluginError(f"several encoders take a {kind}: {', '.join(names)}", hint="name one (--encoder)")

    def layers(self, encoding: Encoding, blueprint: Blueprint, parents: ParentSeries | None) -> list[Layer]:
        """Return the blueprints from the weakest to the strongest."""
        layers = [owned(_OWN, self.own_defaults())]
        if encoding.completed_by:
            layers.append(Layer(encoding.completed_by, shipped_blueprint(encoding.completed_by)))
        layers.append(Layer("derivation", self._context(encoding, blueprint, parents)))
        encoder = f"encoder {self.report.encoder['name']}" if self.report.encoder else "encoder"
        layers += [
            owned(f"{encoder}, default", encoding.defaults),
            Layer("blueprint", blueprint),
            owned(encoder, encoding.derived),
        ]
        if self.options.filling_strategy is FillingStrategy.COPY and parents is not None:
            filling, self.report.filling = filled_from(
                parents,
                layers,
                sop_class_of(blueprint, parents),
                keep_private=self.options.keep_private,
                paired=encoding.pairs is not None,
            )
            layers.insert(0, owned("filling", filling))
        return layers

    def transferred(self, layers: list[Layer], encoding: Encoding) -> tuple[list[Layer], Transfer]:
        """Return the layers with what a codec changes in them, and how instances are encoded."""
        options = self.options
        form = transfer(options.transfer_syntax, options.codec_options, encoding, layers, self.plugin_set)
        self.report.codec = form.codec
        own = owned(_OWN, self.own_defaults())
        return [*(own if layer.name == _OWN else layer for layer in layers), *form.layers], form

    def _gate(self, sop_class: str) -> Gate | None:
        """Return the check of what is built against its IOD; None for SOP classes that the tables do not know."""
        allowance = Allowance.of(self.options.allow)
        iod = iod_of(sop_class)
        return None if iod is None else Gate(iod, allowance, complete=self.report.encoder is not None)

    def _context(self, encoding: Encoding, blueprint: Blueprint, parents: ParentSeries | None) -> Blueprint:
        """Return what the output says of its sources; nothing where the blueprint encodes by itself."""
        iod = iod_of(_built_class(encoding, blueprint, parents)) if self.report.encoder else None
        if iod is None:
            return Blueprint()
        return derived_context(iod, parents, encoding.pairs, blueprint, self.options.derivation)

    def own_defaults(self) -> Blueprint:
        """Return what no instance can do without."""
        return Blueprint(
            [
                FunctionalElement("SOPInstanceUID", "UI", lambda _: gen_uid()),
                InstanceNumberElement(),
                contributing_equipment(self.report, self.options.derivation),
            ],
        )

    def _uids(self, layers: list[Layer], encoding: Encoding, parents: ParentSeries | None) -> BuildUids:
        if self.options.uids == "random":
            return BuildUids.random()
        return derived_uids(layers, self.options, encoding.content, parents)

    def _instant(self, parents: ParentSeries | None) -> dt.datetime | None:
        return derived_instant(self.options, parents)

    def _options(self, kind: str, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
        return complete_options(
            cast("ReaderSpec | EncoderSpec", self.plugin_set.registry(kind).spec(name)), given
        )

    def _provider(self, kind: str, name: str) -> dict[str, str]:
        provider = self.plugin_set.registry(kind).provider(name)
        return {"name": name, "distribution": provider.distribution, "version": provider.version}


def _check_blueprint(blueprint: Any) -> None:
    """Refuse what is no blueprint, such as the name of one."""
    if isinstance(blueprint, Blueprint):
        return
    named = isinstance(blueprint, str | os.PathLike)
    raise BlueprintError(
        f"the blueprint is a {type(blueprint).__name__}, not a Blueprint",
        hint=f"load it: Blueprint.load({str(blueprint)!r})"
        if named
        else "make one: Blueprint([element, ...])",
        kind="blueprint",
    )


def sop_class_of(blueprint: Blueprint, parents: ParentSeries | None) -> str:
    """Return the SOP class of the output, from the blueprint or else from the parents."""
    if _SOP_CLASS not in blueprint:
        found = None if parents is None else parents.element(_SOP_CLASS)
        return "" if found is None else str(found.value or "")
    element = blueprint[_SOP_CLASS]
    if isinstance(element, StaticElement):
        return str(element.value or "")
    resolved = element.resolve(SeriesEnvironment(parents=parents))
    return "" if resolved is OMIT else str(getattr(resolved, "value", resolved) or "")


def _built_class(encoding: Encoding, blueprint: Blueprint, parents: ParentSeries | None) -> str:
    """Return the SOP class that is built; what the encoder derives is stronger than the blueprint."""
    layers = (encoding.derived, blueprint, encoding.defaults)
    return sop_class_of(next((layer for layer in layers if _SOP_CLASS in layer), blueprint), parents)


def plain_encoding(images: Any, parents: ParentSeries | None, count: int) -> Encoding:
    """Return an encoding that leaves the pixels to the blueprint."""
    pairing = None if parents is None else parents.pair(None, count)
    whole = pairing is not None and None not in pairing.indices
    problem = "" if pairing is None or pairing.problem is None else pairing.problem.message
    return Encoding(
        count=count,
        derived=Blueprint(),
        defaults=Blueprint([CopyElement("SOPClassUID", optional=True)]),
        pairs=pairing.indices if pairing is not None and whole else None,
        pairing_problem=problem,
        images=images,
    )
