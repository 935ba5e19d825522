"""``dicomwright bundles``: which bundles of blueprints there are, and what became of each."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import click

from dicomwright.cli.bundle_options import bundle_option, bundle_set, plugin_options, plugin_set

if TYPE_CHECKING:
    from dicomwright.bundles.bundle_set import BundleRecord, BundleSet
    from dicomwright.plugins import PluginSet

__all__ = ["bundles"]

_COLUMNS = ("name", "version", "source", "place", "status", "reason")


@click.command(short_help="List the bundles of blueprints and whether they can be used.")
@bundle_option
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list, one object for each bundle.")
@plugin_options
@click.pass_context
def bundles(ctx: click.Context, /, **given: Any) -> None:
    """List the bundles: those that --bundle names, those of DICOMWRIGHT_BUNDLES, those that are installed.

    Name, version, where it is, and, if it cannot be used, why.
    """
    records = _records(bundle_set(ctx, given), plugin_set(ctx, given))
    if given["as_json"]:
        click.echo(json.dumps([asdict(record) for record in records], indent=2))
    else:
        click.echo(_as_table(records))


def _records(known: BundleSet, plugins: PluginSet) -> tuple[BundleRecord, ...]:
    """Return what became of each bundle; one that lacks plug-ins is no use."""
    from dicomwright.bundles.requirements import plugin_problems

    lacking = {
        bundle.name: "; ".join(problem.message for problem in found)
        for bundle in known.usable
        if (found := plugin_problems(bundle, plugins))
    }
    return tuple(
        replace(record, status="incompatible", reason=lacking[record.name])
        if record.status == "usable" and record.name in lacking
        else record
        for record in known.records
    )


def _as_table(records: tuple[BundleRecord, ...]) -> str:
    """Return the records as columns, the reason last and as long as it is."""
    rows = [_COLUMNS] + [
        (one.name or "-", one.version or "-", one.source, one.who, one.status, one.reason) for one in records
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_COLUMNS))]
    lines = ("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)
