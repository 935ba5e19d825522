"""``dicomwright lint``: what is wrong with a blueprint, before anything is built."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dicomwright.cli.bundle_options import bundle_option, kwarg_option, plugin_set, reading
from dicomwright.cli.options import transfer_syntax_options

if TYPE_CHECKING:
    from dicomwright.blueprint.blueprint import Blueprint
    from dicomwright.errors import Problem
    from dicomwright.lint import Finding

__all__ = ["found_in", "lint", "parents_of", "tell", "without_plugins"]

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
@bundle_option
@kwarg_option
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list, one object for each finding.")
@click.option(
    "--no-plugins", "without_plugins", is_flag=True, help="Use nothing but what dicomwright itself brings."
)
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.pass_context
def lint(ctx: click.Context, /, **given: Any) -> None:
    """Check a blueprint, a shipped one, one of a bundle or a file, against the IOD that it makes.

    Several are laid over each other left to right. A finding is an error, which would stop a build, a warning, or
    a note. Exit code 1 if there is an error.

    \b
    dicomwright lint site.toml
    dicomwright lint mr-image site.toml --parent mr_series/ --json
    """  # noqa: D301  # a real backspace: it keeps the lines below it apart in the help
    from dicomwright.plugins.isolation import stdout_to_stderr

    with stdout_to_stderr():
        found = found_in(ctx, given)
    errors = sum(finding.severity == "error" for finding in found)
    if given["as_json"]:
        click.echo(json.dumps([finding.as_dict() for finding in found], indent=2))
    else:
        tell(found)
    ctx.exit(1 if errors else 0)


def found_in(ctx: click.Context, given: dict[str, Any]) -> list[Finding]:
    """Return what is wrong; a blueprint that cannot be read is a finding, too."""
    from dicomwright.factory import DicomFactory

    read = reading(given["blueprints"], ctx, given)
    if read.problems:
        return _unreadable(read.problems, read.blueprint, given["iod"])
    factory = DicomFactory(plugin_set=plugin_set(ctx, given))
    return factory.lint(
        read.blueprint,
        parents_of(given["parents"]),
        given["iod"],
        allow=given["allow"],
        transfer_syntax=given["transfer_syntax"],
        codec_options=dict(given["codec_options"]),
        kwargs=dict(given["kwargs"]),
    )


def _unreadable(problems: list[Problem], blueprint: Blueprint, iod: str) -> list[Finding]:
    """Return findings for what cannot be read, with modules of the IOD as far as it is known."""
    from dicomwright.build import sop_class_of
    from dicomwright.lint import Finding
    from dicomwright.lint.findings import named
    from dicomwright.standard import iod as iod_named
    from dicomwright.standard import iod_of

    known = iod_named(iod) if iod else iod_of(sop_class_of(blueprint, None))
    return list(named((Finding.of_problem(problem, "blueprint") for problem in problems), known))


def parents_of(paths: tuple[Path, ...]) -> Any:
    """Return what ``--parent`` names: nothing, one folder or file, or several files."""
    if not paths:
        return None
    return paths[0] if len(paths) == 1 else list(paths)


def without_plugins(ctx: click.Context, given: dict[str, Any]) -> bool:
    """Tell whether plug-ins are switched off."""
    return bool(ctx.find_root().params.get("no_plugins") or given["without_plugins"])


def tell(found: list[Finding]) -> None:
    """Print the findings, and how many of each there are."""
    from dicomwright.cli.entry import printable

    for finding in found:
        click.echo(printable(str(finding)))
    counts = {
        severity: sum(finding.severity == severity for finding in found)
        for severity in ("error", "warning", "note")
    }
    click.echo(", ".join(f"{count} {name}{'' if count == 1 else 's'}" for name, count in counts.items()))
