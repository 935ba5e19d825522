"""``dicomwright lint``: what is wrong with a blueprint, before anything is built."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dicomwright.cli.options import transfer_syntax_options

if TYPE_CHECKING:
    from dicomwright.blueprint.blueprint import Blueprint
    from dicomwright.errors import Problem
    from dicomwright.lint import Finding

__all__ = ["lint", "loaded", "parents_of", "without_plugins"]

_PATH = click.Path(path_type=Path)


@click.command(short_help="Check a blueprint against the standard.")
@click.argument("blueprints", metavar="BLUEPRINT...", nargs=-1, required=True)
@click.option(
    "--iod", default="", metavar="NAME", help="The IOD or SOP class, if the blueprint does not say it."
)
@click.option(
    "--parent",
    "parents",
    type=_PATH,
    metavar="DIR",
    multiple=True,
    help="A parent series: its tags are compared with the copying rules.",
)
@click.option(
    "--allow",
    multiple=True,
    metavar="FINDING",
    help="A finding that is accepted: KEYWORD, KIND or KIND:KEYWORD.",
)
@transfer_syntax_options
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list, one object for each finding.")
@click.option(
    "--no-plugins", "without_plugins", is_flag=True, help="Use nothing but what dicomwright itself brings."
)
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.pass_context
def lint(ctx: click.Context, /, **given: Any) -> None:
    r"""Check a blueprint, a shipped one or a file, against the IOD that it makes.

    Several are laid over each other left to right. A finding is an error, which would stop a build, a warning, or
    a note. Exit code 1 if there is an error.

    \b
    dicomwright lint site.toml
    dicomwright lint mr-image site.toml --parent mr_series/ --json
    """
    from dicomwright.plugins.isolation import stdout_to_stderr

    with stdout_to_stderr():
        found = _found(given, no_plugins=without_plugins(ctx, given))
    errors = sum(finding.severity == "error" for finding in found)
    if given["as_json"]:
        click.echo(json.dumps([finding.as_dict() for finding in found], indent=2))
    else:
        _tell(found)
    ctx.exit(1 if errors else 0)


def _found(given: dict[str, Any], *, no_plugins: bool) -> list[Finding]:
    """Return what is wrong; a blueprint that cannot be read is a finding, too."""
    from dicomwright.factory import DicomFactory
    from dicomwright.plugins import default, load

    plugin_set = load(enabled=False) if no_plugins else default()
    blueprint, problems = _read(given["blueprints"], plugin_set)
    if problems:
        return _unreadable(problems, blueprint, given["iod"])
    factory = DicomFactory(plugin_set=plugin_set)
    return factory.lint(
        blueprint,
        parents_of(given["parents"]),
        given["iod"],
        allow=given["allow"],
        transfer_syntax=given["transfer_syntax"],
        codec_options=dict(given["codec_options"]),
    )


def _read(names: tuple[str, ...], plugin_set: Any) -> tuple[Blueprint, list[Problem]]:
    """Return what can be read of several blueprints, and what is wrong with the rest."""
    from dicomwright.blueprint.blueprint import Blueprint
    from dicomwright.bundles.load import read_blueprint
    from dicomwright.errors import BlueprintError

    blueprint = Blueprint()
    problems: list[Problem] = []
    for name in names:
        try:
            read, wrong = read_blueprint(name, plugin_set)
        except BlueprintError as error:
            problems += error.problems
        else:
            blueprint += read
            problems += wrong
    return blueprint, problems


def _unreadable(problems: list[Problem], blueprint: Blueprint, iod: str) -> list[Finding]:
    """Return findings for what cannot be read, with modules of the IOD as far as it is known."""
    from dicomwright.build import sop_class_of
    from dicomwright.lint import Finding
    from dicomwright.lint.findings import named
    from dicomwright.standard import iod as iod_named
    from dicomwright.standard import iod_of

    known = iod_named(iod) if iod else iod_of(sop_class_of(blueprint, None))
    return list(named((Finding.of_problem(problem, "blueprint") for problem in problems), known))


def loaded(names: tuple[str, ...], plugin_set: Any) -> Any:
    """Return several blueprints laid over each other."""
    from dicomwright.blueprint.blueprint import Blueprint
    from dicomwright.bundles import load_blueprint

    blueprint = Blueprint()
    for name in names:
        blueprint += load_blueprint(name, plugin_set)
    return blueprint


def parents_of(paths: tuple[Path, ...]) -> Any:
    """Return what ``--parent`` names: nothing, one folder or file, or several files."""
    if not paths:
        return None
    return paths[0] if len(paths) == 1 else list(paths)


def without_plugins(ctx: click.Context, given: dict[str, Any]) -> bool:
    """Tell whether plug-ins are switched off."""
    return bool(ctx.find_root().params.get("no_plugins") or given["without_plugins"])


def _tell(found: list[Finding]) -> None:
    """Print the findings, and how many of each there are."""
    from dicomwright.cli.entry import printable

    for finding in found:
        click.echo(printable(str(finding)))
    counts = {
        severity: sum(finding.severity == severity for finding in found)
        for severity in ("error", "warning", "note")
    }
    click.echo(", ".join(f"{count} {name}{'' if count == 1 else 's'}" for name, count in counts.items()))
