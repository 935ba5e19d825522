"""``dicomwright plugins``: what is installed, and what became of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from dicomwright.plugins import API_VERSION, load

if TYPE_CHECKING:
    from dicomwright.plugins import PluginRecord

__all__ = ["plugins"]

_COLUMNS = ("name", "distribution", "version", "kind", "status", "reason")


@click.command(short_help="List the plug-ins and whether they can be used.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list, one object for each plug-in.")
@click.option(
    "--no-plugins", is_flag=True, help="As a command with --no-plugins sees it: the built-ins only."
)
@click.option("--debug", is_flag=True, help="Show the traceback of each plug-in that failed.")
@click.pass_context
def plugins(context: click.Context, *, as_json: bool, no_plugins: bool, debug: bool) -> None:
    """List the plug-ins and whether they can be used.

    Name, distribution, version, the kinds of things it provides, status and, if it is not usable, why.
    """
    off = no_plugins or bool(context.find_root().params.get("no_plugins"))
    found = load(enabled=False if off else None)
    for warning in found.warnings:
        click.echo(f"dicomwright: warning: {warning}", err=True)
    click.echo(_as_json(found.records) if as_json else _as_table(found.records))
    if debug:
        for record in found.records:
            if record.details:
                click.echo(f"\n{record.name} ({record.provider}):\n{record.details}", err=True)


def _as_json(records: tuple[PluginRecord, ...]) -> str:
    """Return the records as a JSON list."""
    rows = [
        {
            "name": record.name,
            "distribution": record.distribution,
            "version": record.version,
            "kind": list(record.kinds),
            "status": record.status,
            "reason": record.reason,
            "api": API_VERSION,
        }
        for record in records
    ]
    return json.dumps(rows, indent=2)


def _as_table(records: tuple[PluginRecord, ...]) -> str:
    """Return the records as columns, the reason last and as long as it is."""
    rows = [_COLUMNS] + [
        (one.name, one.distribution, one.version, ", ".join(one.kinds) or "-", one.status, one.reason)
        for one in records
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_COLUMNS))]
    lines = ("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)
