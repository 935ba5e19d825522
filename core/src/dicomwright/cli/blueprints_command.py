"""``dicomwright blueprints``: what ``--blueprint`` can name."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from dicomwright.cli.bundle_options import bundle_option, bundle_set, plugin_options

if TYPE_CHECKING:
    from dicomwright.bundles.catalog import CatalogEntry

__all__ = ["blueprints"]

_COLUMNS = ("name", "SOP class", "summary")


@click.command(short_help="List the blueprints that can be named.")
@bundle_option
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list, one object for each blueprint.")
@plugin_options
@click.pass_context
def blueprints(ctx: click.Context, /, **given: Any) -> None:
    """List the blueprints that can be named, the shipped ones and those of bundles: name, SOP class and summary.

    Those without a SOP class are modules, parts for blueprints of your own.
    """
    from dicomwright.bundles.catalog import catalog

    bundles = bundle_set(ctx, given)
    bundles.require_given()
    entries = catalog(bundles)
    if given["as_json"]:
        click.echo(json.dumps([entry.as_dict() for entry in entries], indent=2))
    else:
        click.echo(_as_table(entries))


def _as_table(entries: tuple[CatalogEntry, ...]) -> str:
    """Return the entries as columns."""
    rows = [_COLUMNS] + [(entry.name, entry.sop_class or "-", entry.summary) for entry in entries]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_COLUMNS))]
    lines = ("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)
