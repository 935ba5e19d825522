"""``dicomwright send``: deliver finished files to archives."""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dicomwright.cli.options import PAIR

if TYPE_CHECKING:
    from collections.abc import Callable

    from dicomwright.delivery import DeliveryRow, DestinationReport, Report

__all__ = ["send"]

_SHOWN = 3


@click.command(short_help="Send finished DICOM files to archives.")
@click.argument("arguments", metavar="DIR|FILE... DEST...", nargs=-1, required=True)
@click.option("--sender", default="", metavar="NAME", help="The sender to use, if DEST does not tell.")
@click.option("--sender-opt", "options", type=PAIR, multiple=True, help="An option of the sender.")
@click.option(
    "--ledger",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Where it is written down what has arrived; DIR.ledger beside DIR if not given.",
)
@click.option(
    "--again",
    "--no-resume",
    "again",
    is_flag=True,
    help="Send what has arrived by an earlier run, too.",
)
@click.option(
    "--retries",
    type=click.IntRange(min=0),
    default=3,
    show_default=True,
    help="How often to try again what got no answer, or a refusal that may pass.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=14_400.0,
    show_default=True,
    metavar="SECONDS",
    help="When to give up, whatever happens.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as one JSON object.")
@click.option("--quiet", is_flag=True, help="No progress, no warnings, no summary.")
@click.option(
    "--no-plugins", "without_plugins", is_flag=True, help="Use nothing but what dicomwright itself brings."
)
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.pass_context
def send(ctx: click.Context, /, **given: Any) -> None:
    """Send finished DICOM files to each DEST, and write down what became of each instance.

    DEST is dicom://AET@host:port, dicom+tls://AET@host:port or https://host/dicom-web. Run it again to go on where it
    ended: what has arrived is not sent twice. Exit code 0 if every instance has arrived everywhere, else 1.

    \b
    dicomwright send out/ dicom://PACS@127.0.0.1:11112
    dicomwright send out/ https://pacs.example/dicom-web --sender-opt token-file=token.txt --json
    """  # noqa: D301  # a real backspace: it keeps the lines below it apart in the help
    from dicomwright.plugins.isolation import stdout_to_stderr

    off = bool(ctx.find_root().params.get("no_plugins") or given["without_plugins"])
    with stdout_to_stderr():
        report = _sent(given, *_split(ctx, given["arguments"]), no_plugins=off)
    if not given["quiet"]:
        _warn(report)
    if given["as_json"]:
        click.echo(json.dumps(report.as_dict(), indent=2))
    elif not given["quiet"]:
        _tell(report)
    ctx.exit(0 if report.complete else 1)


def _split(ctx: click.Context, arguments: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """Return the paths and the destinations."""
    from dicomwright.delivery.destinations import looks_like_destination

    urls = [text for text in arguments if looks_like_destination(text) and not Path(text).exists()]
    paths = [text for text in arguments if text not in urls]
    if not paths:
        raise click.UsageError("Missing argument 'DIR|FILE...'.", ctx)
    if not urls:
        raise click.UsageError("Missing argument 'DEST...', such as dicom://AET@host:port.", ctx)
    return paths, urls


def _sent(given: dict[str, Any], paths: list[str], urls: list[str], *, no_plugins: bool) -> Report:
    """Deliver, with a progress bar on a terminal."""
    from dicomwright.delivery import Policy, deliver
    from dicomwright.plugins import default, load

    counted = _progress() if not given["quiet"] and sys.stderr.isatty() else None
    try:
        warnings.filterwarnings("ignore", module="pydicom")  # of what the other side says
        return deliver(
            paths,
            urls,
            ledger=given["ledger"],
            options=dict(given["options"]),
            policy=Policy(retries=given["retries"], timeout=given["timeout"]),
            sender=given["sender"],
            again=given["again"],
            progress=counted,
            plugin_set=load(enabled=False) if no_plugins else default(),
        )
    finally:
        if counted is not None:
            click.echo(err=True)


def _progress() -> Callable[[DeliveryRow], None]:
    """Return a function that counts on one line of the terminal."""
    counts = {"arrived": 0, "other": 0}

    def count(row: DeliveryRow) -> None:
        counts["arrived" if row.arrived else "other"] += 1
        click.echo(f"\rsending: {counts['arrived']} arrived, {counts['other']} not", err=True, nl=False)

    return count


def _warn(report: Report) -> None:
    """Say on standard error what to know of the files."""
    from dicomwright.cli.entry import printable

    for warning in report.warnings:
        click.echo(f"dicomwright: warning: {printable(warning)}", err=True)


def _tell(report: Report) -> None:
    """Print what did not arrive, or arrived with a remark, and a line for each destination."""
    from dicomwright.cli.entry import printable

    for one in report.destinations:
        said: dict[tuple[str, str, str], list[DeliveryRow]] = {}
        for row in one.rows:
            if row.state != "stored":
                said.setdefault((row.state, row.status, row.message), []).append(row)
        for (state, status, message), rows in said.items():
            click.echo(printable(f"{state}: {_names(rows)}: {' '.join(filter(None, (status, message)))}"))
        click.echo(printable(_summary(one)))
    click.echo(printable(f"ledger: {report.ledger}"))


def _names(rows: list[DeliveryRow]) -> str:
    from dicomwright.plugins.records import escape

    more = f" and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
    return ", ".join(escape(row.file.name) for row in rows[:_SHOWN]) + more


def _summary(one: DestinationReport) -> str:
    """Return one line for a destination."""
    counts, total = one.counts, len(one.rows)
    arrived = counts["stored"] + counts["warning"]
    parts = [f"{counts[state]} {state}" for state in ("refused", "unknown", "pending") if counts[state]]
    remarks = f" ({counts['warning']} with warnings)" if counts["warning"] else ""
    text = f"{one.destination}: {'sent' if one.complete else 'NOT COMPLETE'}: {arrived} of {total} arrived{remarks}"
    stopped = f"; {one.stopped}" if one.stopped else ""
    return ", ".join([text, *parts]) + stopped
