"""``dicomwright blueprint``: look at one blueprint, compare two, make one file of it, check it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dicomwright.cli.bundle_options import bundle_option, kwarg_option, plugin_options, plugin_set, reading

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dicomwright.bundles.compare import RuleRow
    from dicomwright.bundles.load import Reading

__all__ = ["blueprint"]

_COLUMNS = ("tag", "keyword", "VR", "rule", "origin")
_LONGEST = 70


@click.group(short_help="Look into one blueprint: show, diff, flatten, check.")
def blueprint() -> None:
    """Look into a blueprint, a shipped one by name, one of a bundle by BUNDLE/NAME, or a file."""


@blueprint.command(short_help="List its rules with the place of each.")
@click.argument("name", metavar="NAME|FILE")
@bundle_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@plugin_options
@click.pass_context
def show(ctx: click.Context, /, **given: Any) -> None:
    """List the rules of a blueprint and of all that it extends, with file and line of each, and its parameters."""
    from dicomwright.bundles.compare import rows_of
    from dicomwright.plugins.isolation import stdout_to_stderr

    read = reading([given["name"]], ctx, given)
    read.whole()
    with stdout_to_stderr():
        rows = list(rows_of(read.blueprint))
    if given["as_json"]:
        click.echo(json.dumps(_as_dict(given["name"], read, rows), indent=2, default=str))
        return
    if read.summary:
        click.echo(f"{read.summary}\n")
    for parameter in read.parameters.values():
        default = "required" if parameter.required else f"default {parameter.default!r}"
        summary = f": {parameter.summary}" if parameter.summary else ""
        click.echo(f"parameter {parameter.name} ({parameter.vr}, {default}){summary}  {parameter.loc}")
    click.echo(_table([_COLUMNS, *map(_columns, rows)]))


@blueprint.command(short_help="Compare the rules of two.")
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW")
@bundle_option
@click.option(
    "--json", "as_json", is_flag=True, help="Print a JSON list, one object for each rule that differs."
)
@plugin_options
@click.pass_context
def diff(ctx: click.Context, /, **given: Any) -> None:
    """Compare the rules of two blueprints: - is the old one's, + the new one's. Places make no difference."""
    from dicomwright.bundles.compare import differences
    from dicomwright.cli.entry import printable
    from dicomwright.plugins.isolation import stdout_to_stderr

    old, new = (reading([given[which]], ctx, given).whole() for which in ("old", "new"))
    with stdout_to_stderr():
        found = differences(old, new)
    if given["as_json"]:
        click.echo(json.dumps([one.as_dict() for one in found], indent=2))
        return
    for one in found:
        for sign, row in (("-", one.old), ("+", one.new)):
            if row is not None:
                final = ", final" if row.final else ""
                click.echo(printable(f"{sign} {row.path} {row.tag}: {row.rule}{final}  {row.origin}"))
    if not found:
        click.echo("no rule differs")


@blueprint.command(short_help="Make one file of it and all that it extends.")
@click.argument("name", metavar="NAME|FILE")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write it there, with the data files that its rules read; it must not exist.",
)
@bundle_option
@plugin_options
@click.pass_context
def flatten(ctx: click.Context, /, **given: Any) -> None:
    """Make one blueprint file without extends, which builds the same. Parameters stay parameters."""
    from dicomwright.bundles.flatten import flattened, write_flattened

    read = reading([given["name"]], ctx, given)
    read.whole()
    text = flattened(read, given["name"])
    if given["out"] is None:
        click.echo(text.encode(), nl=False)  # blueprint files are UTF-8, wherever they are written
    else:
        write_flattened(text, read.resources, given["out"])


@blueprint.command(short_help="Load and lint it.")
@click.argument("name", metavar="NAME|FILE")
@click.option(
    "--allow",
    multiple=True,
    metavar="FINDING",
    help="A finding that is accepted: KEYWORD, KIND or KIND:KEYWORD.",
)
@bundle_option
@kwarg_option
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list, one object for each finding.")
@plugin_options
@click.pass_context
def check(ctx: click.Context, /, **given: Any) -> None:
    """Load a blueprint and lint it. One that names no SOP class is a part of others, and is checked as such.

    Exit code 1 if there is an error.
    """
    from dicomwright.bundle_check import findings_of
    from dicomwright.cli.lint_command import tell
    from dicomwright.plugins.isolation import stdout_to_stderr

    read = reading([given["name"]], ctx, given)
    with stdout_to_stderr():
        found = findings_of(read, plugin_set(ctx, given), allow=given["allow"], kwargs=dict(given["kwargs"]))
    if given["as_json"]:
        click.echo(json.dumps([finding.as_dict() for finding in found], indent=2))
    else:
        tell(found)
    ctx.exit(1 if any(finding.severity == "error" for finding in found) else 0)


def _as_dict(name: str, read: Reading, rows: Iterable[RuleRow]) -> dict[str, Any]:
    """Return a blueprint as what JSON can hold."""
    parameters = [
        {
            "name": one.name,
            "type": one.vr,
            "required": one.required,
            "default": one.default,
            "summary": one.summary,
            "origin": one.loc,
        }
        for one in read.parameters.values()
    ]
    return {
        "name": name,
        "summary": read.summary,
        "files": [source.name for source in read.sources],
        "bundles": [{"name": bundle, **one} for bundle, one in read.blueprint.bundles.items()],
        "parameters": parameters,
        "rules": [row.as_dict() for row in rows],
    }


def _columns(row: RuleRow) -> tuple[str, ...]:
    """Return a rule as columns; those in items are indented."""
    rule = f"{row.rule} (final)" if row.final else row.rule
    return (
        row.tag,
        "  " * len(row.above) + row.name,
        row.vr,
        rule if len(rule) <= _LONGEST else f"{rule[: _LONGEST - 3]}...",
        row.origin,
    )


def _table(rows: list[tuple[str, ...]]) -> str:
    """Return rows as columns."""
    from dicomwright.cli.entry import printable

    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) for row in rows)
    return printable("\n".join(line.rstrip() for line in lines))
