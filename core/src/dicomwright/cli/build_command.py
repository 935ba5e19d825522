"""``dicomwright build``: from a source and blueprints to a folder of DICOM files."""

from __future__ import annotations

import datetime as dt
import json
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dicomwright.cli.bundle_options import bundle_option, bundle_set, kwarg_option, plugin_set
from dicomwright.cli.options import PAIR, plugin_options, transfer_syntax_options

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dicomwright.blueprint.blueprint import Blueprint
    from dicomwright.bundles.bundle_set import BundleSet
    from dicomwright.engine.series import Series
    from dicomwright.plugins import PluginSet

__all__ = ["build"]


_PATH = click.Path(path_type=Path)


@click.command(short_help="Build a DICOM series from a source and blueprints.")
@click.argument("source", type=_PATH)
@click.option(
    "--blueprint",
    "blueprints",
    metavar="NAME|FILE",
    multiple=True,
    help="A shipped blueprint, one of a bundle (BUNDLE/NAME), or a file. Several combine left to right. May be left "
    "out where the --encoder makes one kind of object.",
)
@bundle_option
@click.option(
    "--locked",
    is_flag=True,
    help="Refuse the build unless bundles and plug-ins are as dicomwright.lock says.",
)
@click.option(
    "--lock-file",
    type=_PATH,
    metavar="FILE",
    help="Another lock than dicomwright.lock; with --locked.",
)
@click.option(
    "--parent",
    "parents",
    type=_PATH,
    metavar="DIR",
    multiple=True,
    help="The DICOM series that the source was derived from: a folder or files.",
)
@click.option(
    "--out",
    type=_PATH,
    metavar="DIR",
    required=True,
    help="The folder for the files; it must not exist, or be empty.",
)
@plugin_options
@transfer_syntax_options
@click.option(
    "--set",
    "values",
    type=PAIR,
    metavar="KEYWORD=VALUE",
    multiple=True,
    help="Set a value, whatever the blueprints say, but for final rules. A backslash separates several values.",
)
@kwarg_option
@click.option(
    "--fill",
    type=click.Choice(["discard", "copy"]),
    default="discard",
    show_default=True,
    help="What becomes of the parent's tags that no blueprint names.",
)
@click.option("--keep-private", is_flag=True, help="With --fill copy: private elements too.")
@click.option(
    "--uids",
    type=click.Choice(["random", "derived"]),
    default="random",
    show_default=True,
    help="Derived: the same build gives the same UIDs and bytes again.",
)
@click.option(
    "--instant", metavar="ISO", help="What dates are taken from, as 2026-11-24T09:30:00, instead of now."
)
@click.option("--derivation", metavar="TEXT", help="How the images were made: DerivationDescription.")
@click.option(
    "--derivation-code",
    "derivation_codes",
    metavar="VALUE,SCHEME,MEANING",
    multiple=True,
    help="A code for it, as 113076,DCM,Segmentation.",
)
@click.option(
    "--algorithm", metavar="NAME[=VERSION]", help="The algorithm that made the images, as NoduleNet=2.1."
)
@click.option(
    "--allow",
    multiple=True,
    metavar="FINDING",
    help="A finding of lint that does not stop the build: KEYWORD, KIND or KIND:KEYWORD.",
)
@click.option(
    "--validate",
    is_flag=True,
    help="Ask the validators that are installed, and publish nothing that fails.",
)
@click.option(
    "--verify",
    is_flag=True,
    help="Read the finished files again and find their pixels in the source, before they are published.",
)
@click.option("--overwrite", is_flag=True, help="Replace what an earlier run wrote into the folder.")
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    help="Threads that write, and processes that compress; chosen by the size of the images.",
)
@click.option("--no-fsync", is_flag=True, help="Do not wait for the disk: for scratch work.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")
@click.option("--quiet", is_flag=True, help="No progress, no warnings, no summary.")
@click.option(
    "--no-plugins", "without_plugins", is_flag=True, help="Use nothing but what dicomwright itself brings."
)
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.pass_context
def build(ctx: click.Context, /, **given: Any) -> None:
    """Build a DICOM series from SOURCE and blueprints.

    Writes 00001.dcm, 00002.dcm, ... in order of InstanceNumber into --out, all or none of them.

    \b
    dicomwright build brain.nii.gz --blueprint mr-image --out out/
    dicomwright build pred.nii.gz --blueprint ct-image --parent ct_series/ --out out/
    """  # noqa: D301  # a real backspace: it keeps the lines below it apart in the help
    from dicomwright.plugins.isolation import stdout_to_stderr

    if not (given["blueprints"] or given["encoder"]):
        raise click.UsageError("Missing option '--blueprint'.", ctx)
    if given["lock_file"] and not given["locked"]:
        raise click.UsageError("--lock-file says which lock --locked holds the build to: give both.", ctx)
    with stdout_to_stderr():
        series = _built(ctx, given)
    if not given["quiet"]:
        _report(series)
    if given["as_json"]:
        click.echo(json.dumps(series.result, indent=2))


def _built(ctx: click.Context, given: dict[str, Any]) -> Series:
    """Build and write, and return what was built."""
    from dicomwright.blueprint.blueprint import FillingStrategy
    from dicomwright.bundles.load import keep_shipped, read_blueprints
    from dicomwright.engine.publish import check_target
    from dicomwright.factory import DicomFactory

    check_target(given["out"], overwrite=given["overwrite"])
    plugins, bundles = plugin_set(ctx, given), bundle_set(ctx, given)
    reading = read_blueprints(given["blueprints"], plugins, bundles)
    blueprint = reading.whole()
    keep_shipped(reading)
    locked = _locked(given, blueprint, plugins, bundles)
    series = DicomFactory(plugin_set=plugins).build(
        given["source"],
        blueprint + _values(given["values"]),
        _parents(given["parents"]),
        given["reader"],
        given["encoder"],
        kwargs=dict(given["kwargs"]),
        reader_options=dict(given["reader_options"]),
        encoder_options=dict(given["encoder_options"]),
        filling_strategy=FillingStrategy(given["fill"]),
        keep_private=given["keep_private"],
        uids=given["uids"],
        instant=_instant(given["instant"]),
        derivation=_derivation(given),
        allow=given["allow"],
        transfer_syntax=given["transfer_syntax"],
        codec_options=dict(given["codec_options"]),
    )
    with _progress(len(series), shown=not given["quiet"]) as advance:
        series.write(
            given["out"],
            given["jobs"],
            overwrite=given["overwrite"],
            fsync=not given["no_fsync"],
            progress=advance,
            checks=[*locked, *_checks(series, given, plugins)],
        )
    return series


def _locked(
    given: dict[str, Any], blueprint: Blueprint, plugins: PluginSet, bundles: BundleSet
) -> list[Callable[..., dict[str, Any]]]:
    """Refuse what is not as the lock says, if it is asked for; return what adds the lock to the result."""
    if not given["locked"]:
        return []
    from dicomwright.bundles.lock import read_lock, require_locked
    from dicomwright.bundles.stores import LOCK_FILE

    lock = read_lock(given["lock_file"] or Path(LOCK_FILE))
    require_locked(lock, bundles, plugins, blueprint.bundles)
    return [lambda _: {"lock": {"file": lock.file, "sha256": lock.sha256}}]


def _checks(series: Series, given: dict[str, Any], plugin_set: Any) -> list[Callable[..., dict[str, Any]]]:
    """Return the checks of the finished files."""
    checks: list[Callable[..., dict[str, Any]]] = []
    if given["verify"]:
        from dicomwright.verify import prover

        checks.append(prover(series))
    if given["validate"]:
        from dicomwright.validate import validating

        checks.append(validating(plugin_set=plugin_set))
    return checks


def _values(pairs: tuple[tuple[str, str], ...]) -> Any:
    """Return ``--set`` as a blueprint."""
    from dicomwright.bundles.text_values import blueprint_of

    return blueprint_of(pairs, origin="--set")


def _parents(paths: tuple[Path, ...]) -> Any:
    """Return what ``--parent`` names: nothing, one folder or file, or several files."""
    if not paths:
        return None
    return paths[0] if len(paths) == 1 else list(paths)


def _derivation(given: dict[str, Any]) -> Any:
    """Return what the user says of how the images were made."""
    from dicomwright.encoders.context import Derivation

    name, _, version = (given["algorithm"] or "").partition("=")
    codes = tuple(tuple(part.strip() for part in text.split(",", 2)) for text in given["derivation_codes"])
    return Derivation(given["derivation"] or "", codes, name, version)


def _instant(text: str | None) -> dt.datetime | None:
    """Return ``--instant`` as a moment."""
    try:
        return None if text is None else dt.datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is not a date and time, as 2026-11-24T09:30:00") from None


def _report(series: Series) -> None:
    """Say on standard error what was written and what to know of it."""
    from dicomwright.cli.entry import printable

    for warning in series.warnings:
        click.echo(f"dicomwright: warning: {printable(warning)}", err=True)
    written = series.result["series"][0]
    click.echo(
        f"dicomwright: {written['instances']} instances in {printable(written['directory'])}", err=True
    )


@contextmanager
def _progress(length: int, *, shown: bool) -> Iterator[Callable[[int], None] | None]:
    """Show a progress bar on a terminal; give the function that moves it on."""
    if not shown or not sys.stderr.isatty():
        yield None
        return
    with click.progressbar(length=length, label="writing", file=sys.stderr) as bar:
        yield bar.update
