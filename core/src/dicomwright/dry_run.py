"""A build without a source: which rules a blueprint comes to, and what is wrong with them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from dicomwright.blueprint.blueprint import Blueprint
from dicomwright.blueprint.copying import CopyElement
from dicomwright.blueprint.elements import StaticElement
from dicomwright.blueprint.tags import PrivateTag, describe
from dicomwright.build import Build, BuildOptions, sop_class_of
from dicomwright.bundles.binding import Binding
from dicomwright.engine.compile import compile_plan
from dicomwright.engine.file_form import EXPLICIT_LE
from dicomwright.engine.request import BuildRequest
from dicomwright.engine.rules import Layer, merge, owned
from dicomwright.errors import BlueprintError, DicomwrightError
from dicomwright.lint import Allowance, Finding, check
from dicomwright.lint.encoders import given_by_encoders
from dicomwright.lint.findings import named, sorted_findings
from dicomwright.lint.gate import Gate
from dicomwright.lint.rules import fixed_uids, homeless, illegal_values, overridden
from dicomwright.lint.views import RuleView
from dicomwright.parents import ParentSeries
from dicomwright.payload import Document, Frames, Volume
from dicomwright.plugins import default
from dicomwright.standard import iod as iod_named
from dicomwright.standard import iod_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from dicomwright.blueprint.tags import AnyTag
    from dicomwright.encoders.api import Encoding
    from dicomwright.engine.nodes import Node
    from dicomwright.engine.plan import Plan
    from dicomwright.engine.rules import Rule
    from dicomwright.plugins import EncoderSpec, PluginSet
    from dicomwright.standard import Iod

__all__ = ["DryRun", "dry_run", "encoder_of", "lint", "stand_in"]

_SOP_CLASS = 0x00080016
_SMALL = (3, 4, 5)
#: Shape and type of what stands in for the pixels of SOP classes that hold no others.
_PIXELS = {
    "1.2.840.10008.5.1.4.1.1.7.1": (_SMALL, np.bool_),
    "1.2.840.10008.5.1.4.1.1.7.2": (_SMALL, np.uint8),
    "1.2.840.10008.5.1.4.1.1.7.3": (_SMALL, np.uint16),
    "1.2.840.10008.5.1.4.1.1.7.4": ((*_SMALL, 3), np.uint8),
}


@dataclass
class DryRun:
    """What a blueprint comes to.

    Attributes
    ----------
    rules : list of Rule
        One for each tag, with the weaker ones that it overrode.
    iod : Iod, optional
        What is built; None if nothing says it, or the tables do not know it.
    encoder : str
        Name of the encoder; empty if none that is installed makes these objects.
    plan : Plan, optional
        With parents or a source, if everything can be resolved.
    findings : list of Finding
        What is wrong, the exceptions applied.

    """

    rules: list[Rule]
    iod: Iod | None
    encoder: str = ""
    plan: Plan | None = None
    findings: list[Finding] = field(default_factory=list)


def lint(
    blueprint: Blueprint,
    parents: Any = None,
    iod: str = "",
    *,
    allow: Iterable[str] = (),
    transfer_syntax: str = "",
    codec_options: Mapping[str, str] | None = None,
    kwargs: Mapping[Any, Any] | None = None,
    plugin_set: PluginSet | None = None,
) -> list[Finding]:
    """Return what is wrong with a blueprint, errors first. See `DicomFactory.lint`."""
    return dry_run(
        blueprint,
        parents,
        iod,
        allow=allow,
        options=BuildOptions(
            kwargs=kwargs or {}, transfer_syntax=transfer_syntax, codec_options=codec_options or {}
        ),
        plugin_set=plugin_set,
    ).findings


def dry_run(
    blueprint: Blueprint,
    parents: Any = None,
    iod: str = "",
    *,
    source: Any = None,
    allow: Iterable[str] = (),
    options: BuildOptions | None = None,
    plugin_set: PluginSet | None = None,
) -> DryRun:
    """Lay the blueprint over what an encoder and the shipped blueprints add, and check the result.

    Without a source a small volume of zeros stands in, in the parents' place if there are any. Without parents
    copying rules are taken to find what they need.

    Raises
    ------
    DicomwrightError
        The IOD is unknown, or an exception is no exception.

    """
    series = ParentSeries.of(parents)
    wanted = iod_named(iod) if iod else None
    options = options or BuildOptions()
    binding = Binding(options.kwargs)
    blueprint = binding.bound(_with_sop_class(blueprint, wanted, series))
    plugins = plugin_set or default()
    name = options.encoder or encoder_of(plugins, sop_class_of(blueprint, series))
    build = Build(None, replace(options, encoder=name), plugins)
    found = _Findings()
    found.add(_of_parameters(binding))
    encoding = _encoding(build, blueprint, series, source, found)
    known = wanted or iod_of(sop_class_of(blueprint, series))
    layers, syntax = _layers(build, encoding, blueprint, series, found)
    run = DryRun(merge(layers), known, build.report.encoder["name"] if build.report.encoder else "")
    found.add(_of_other_class(blueprint, wanted))
    found.add(overridden(run.rules, notes=True))
    found.add(fixed_uids(run.rules))
    if encoding is not None and (series is not None or source is not None):
        run.plan = _compiled(layers, syntax, encoding, series, known, found, binding.kwargs)
    else:
        found.add(illegal_values(run.rules))
        found.add(homeless(run.rules))
        found.add(_of_rules(run, encoding))
    allowance = Allowance.of(allow)
    run.findings = sorted_findings(map(allowance.apply, named(found.all, known)))
    return run


def _of_parameters(binding: Binding) -> Iterator[Finding]:
    """Yield what is wrong with the values of parameters, and those that a build must be given."""
    yield from (Finding.of_problem(problem, "value") for problem in dict.fromkeys(binding.problems))
    for name, parameter in binding.open.items():
        yield Finding(
            "note",
            "parameter",
            (),
            f"the parameter {name} ({parameter.vr}) has no default: a build is given it",
            f"--kwarg {name}=...",
            origin=parameter.loc,
        )


class _Findings:
    """Collects findings."""

    def __init__(self) -> None:
        self.all: list[Finding] = []

    def add(self, findings: Iterable[Finding]) -> None:
        self.all.extend(findings)

    def error(self, error: DicomwrightError, kind: str) -> None:
        """Turn the problems of an error into findings."""
        self.all.extend(Finding.of_problem(problem, kind) for problem in error.problems)


def _with_sop_class(blueprint: Blueprint, wanted: Iod | None, parents: ParentSeries | None) -> Blueprint:
    """Return the blueprint with the SOP class of the IOD that is asked for, where it says none."""
    if wanted is None or _SOP_CLASS in blueprint or not wanted.sop_classes:
        return blueprint
    uid = wanted.sop_classes[0].uid
    if parents is not None and sop_class_of(Blueprint(), parents) in {row.uid for row in wanted.sop_classes}:
        uid = sop_class_of(Blueprint(), parents)
    element = StaticElement(_SOP_CLASS, "UI", uid)
    element.origin = "--iod"
    return Blueprint([element]) + blueprint


def _of_other_class(blueprint: Blueprint, wanted: Iod | None) -> Iterator[Finding]:
    """Yield a finding if the blueprint is of another SOP class than the IOD that is asked for."""
    if wanted is None or _SOP_CLASS not in blueprint:
        return
    if not isinstance(blueprint[_SOP_CLASS], StaticElement):
        return
    uid = sop_class_of(blueprint, None)
    if uid not in {row.uid for row in wanted.sop_classes}:
        yield Finding(
            "error",
            "sop-class",
            (_SOP_CLASS,),
            f"SOPClassUID (0008,0016) is {uid}, which is no SOP class of the {wanted.name} IOD",
            f"write {wanted.sop_classes[0].uid}" if wanted.sop_classes else "",
            origin=blueprint[_SOP_CLASS].origin,
        )


def _encoding(
    build: Build, blueprint: Blueprint, parents: ParentSeries | None, source: Any, found: _Findings
) -> Encoding | None:
    """Return what an encoder says; None, with a finding, if there is none for these objects."""
    uid = sop_class_of(blueprint, parents)
    if not uid:
        found.add([_unnamed(blueprint)])
        return None
    try:
        payload = build.payload(source) if source is not None else stand_in(build, parents, uid)
        return build.encode(payload, blueprint, parents)
    except DicomwrightError as error:
        build.report.encoder = None
        if source is None and any(problem.kind == "sop-class" for problem in error.problems):
            found.add([_without_encoder(uid)])
        else:
            found.error(
                error, "value" if isinstance(error, BlueprintError) or source is not None else "parent"
            )
        return None


def _unnamed(blueprint: Blueprint) -> Finding:
    return Finding(
        "error",
        "sop-class",
        (_SOP_CLASS,),
        "SOPClassUID (0008,0016) is given by nothing, so it is not known what kind of object this is",
        "start from a shipped blueprint, or name the IOD (--iod)",
        origin=blueprint[_SOP_CLASS].origin if _SOP_CLASS in blueprint else "",
    )


def _without_encoder(uid: str) -> Finding:
    return Finding(
        "note",
        "sop-class",
        (_SOP_CLASS,),
        f"no encoder that is installed makes objects of {uid}; what an encoder gives is taken to be there",
    )


def encoder_of(plugin_set: PluginSet, uid: str) -> str:
    """Return the encoder that names the SOP class, else the built-in one."""
    registry = plugin_set.registry("encoder")
    specs = {name: cast("EncoderSpec", registry.spec(name)) for name in registry.names()}
    return next((name for name, spec in specs.items() if uid in spec.sop_classes), "image")


def stand_in(build: Build, parents: ParentSeries | None, uid: str) -> Any:
    """Return a payload of zeros that the encoder takes."""
    name = str(build.options.encoder)
    kinds = cast("EncoderSpec", build.plugin_set.registry("encoder").spec(name)).payloads
    if "Volume" in kinds or not kinds:
        return _volume(parents, uid)
    if "Frames" in kinds:
        return Frames([np.zeros(_SMALL[1:], np.uint8)])
    return Document(b"%PDF-1.4\n%%EOF\n", "application/pdf", 1, "title")


def _volume(parents: ParentSeries | None, uid: str) -> Volume:
    """Return a volume in the place of the parents; zeros take no memory."""
    shape, kind = _PIXELS.get(uid, (_SMALL, np.int16))
    planes = None if parents is None else parents.planes
    if parents is not None and planes is not None and len(planes) == len(parents):
        return Volume(
            np.broadcast_to(np.zeros((), kind), (len(parents), planes.rows, planes.columns, *shape[3:]))
        )
    return Volume(np.zeros(shape, kind), np.diag([3.0, 2.0, 1.5, 1.0])[[2, 1, 0, 3]])


def _layers(
    build: Build,
    encoding: Encoding | None,
    blueprint: Blueprint,
    parents: ParentSeries | None,
    found: _Findings,
) -> tuple[list[Layer], str]:
    """Return the layers of a build, those of encoder and codec or the blueprint alone, and the transfer syntax."""
    if encoding is None:
        return [owned("dicomwright", build.own_defaults()), Layer("blueprint", blueprint)], EXPLICIT_LE
    layers = build.layers(encoding, blueprint, parents)
    try:
        written, form = build.transferred(layers, encoding)
    except BlueprintError as error:
        found.error(error, "value")
        return layers, encoding.transfer_syntax_uid
    return written, form.uid


def _compiled(
    layers: list[Layer],
    syntax: str,
    encoding: Encoding,
    parents: ParentSeries | None,
    iod: Iod | None,
    found: _Findings,
    kwargs: Mapping[Any, Any],
) -> Plan | None:
    """Resolve everything, as a build does."""
    gate = None if iod is None else Gate(iod, Allowance(), complete=True)
    request = BuildRequest(
        layers=layers,
        count=encoding.count,
        parents=parents,
        pairs=encoding.pairs,
        pairing_problem=encoding.pairing_problem,
        images=encoding.images,
        kwargs=kwargs,
        instant=dt.datetime.now().astimezone(),
        transfer_syntax_uid=syntax,
        check=None if gate is None else _Quiet(gate),
    )
    try:
        return compile_plan(request)
    except DicomwrightError as error:
        for problem in error.problems:
            kind = "parent" if problem.kind.endswith(("-parent", "unpaired", "count")) else "value"
            found.add([Finding.of_problem(problem, kind)])
        return None
    finally:
        found.add([] if gate is None else (row for row in gate.findings if row.kind != "overridden"))


class _Quiet:
    """Asks a gate and reports no problem, so that what else is wrong is found, too."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate

    def __call__(self, rules: list[Rule], nodes: list[Node], unknown: frozenset[int]) -> tuple[()]:
        self.gate(rules, nodes, unknown)
        return ()


def _of_rules(run: DryRun, encoding: Encoding | None) -> Iterator[Finding]:
    """Yield what is wrong with rules that are not resolved, since there are no parents."""
    if run.iod is not None:
        given = frozenset() if encoding is not None else given_by_encoders(run.iod)
        yield from check(run.iod, RuleView(run.rules), given=given, notes=True)
    needed = [rule for rule in run.rules if _needs_parents(rule)]
    if needed:
        names = ", ".join(_name(rule.tag) for rule in needed[:3])
        more = f" and {len(needed) - 3} more" if len(needed) > 3 else ""  # noqa: PLR2004 - the same three
        yield Finding(
            "note",
            "parent",
            (),
            f"a parent series is needed: {names}{more} {'are' if len(needed) > 1 else 'is'} copied",
            "lint with --parent to check them",
            origin=needed[0].element.origin,
        )


def _name(tag: AnyTag) -> str:
    """Return the keyword of a tag, or all of it."""
    return str(tag) if isinstance(tag, PrivateTag) else describe(tag).partition(" ")[0]


def _needs_parents(rule: Rule) -> bool:
    element = rule.element
    is_copy = isinstance(element, CopyElement) and not element.optional  # a private one requires no tag
    return is_copy or bool(element.required_tags())
