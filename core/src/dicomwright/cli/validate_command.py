"""``dicomwright validate``: judge finished files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dicomwright.cli.lint_command import without_plugins

if TYPE_CHECKING:
    from dicomwright.validate import Complaint, Verdict

__all__ = ["validate"]

_MOST = 5  # names of files that were skipped
_PATH = click.Path(path_type=Path)


@click.command(short_help="Judge finished DICOM files.")
@click.argument("paths", metavar="DIR|FILE...", nargs=-1, required=True, type=_PATH)
@click.option(
    "--validator",
    "validators",
    multiple=True,
    metavar="NAME",
    help="A validator to ask; all that can run here if none is named.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as one JSON object.")
@click.option(
    "--no-plugins", "without_plugins", is_flag=True, help="Use nothing but what dicomwright itself brings."
)
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.pass_context
def validate(ctx: click.Context, /, **given: Any) -> None:
    """Judge finished DICOM files, each one and all together.

    The core's own validator, standard, compares them with the tables of PS3.3, and checks values, stored range,
    character set, identifiers and positions. Plug-ins bring others. Exit code 1 if one finds an error.

    \b
    dicomwright validate out/
    dicomwright validate out/ --validator standard --json
    """  # noqa: D301  # a real backspace: it keeps the lines below it apart in the help
    from dicomwright.plugins import default, load
    from dicomwright.plugins.isolation import stdout_to_stderr
    from dicomwright.validate import validate as judge

    with stdout_to_stderr():
        plugin_set = load(enabled=False) if without_plugins(ctx, given) else default()
        verdict = judge(given["paths"], given["validators"], plugin_set=plugin_set)
    if given["as_json"]:
        click.echo(json.dumps(verdict.as_dict(), indent=2))
    else:
        _tell(verdict)
    ctx.exit(0 if verdict.passed else 1)


def _tell(verdict: Verdict) -> None:
    """Print what was said, what every file has in common once."""
    from dicomwright.cli.entry import printable

    said: dict[tuple[str, str, str], list[Complaint]] = {}
    for one in verdict.complaints:
        said.setdefault((one.severity, one.validator, one.message), []).append(one)
    for (severity, validator, message), complaints in said.items():
        first = complaints[0].file
        where = "together" if first is None else str(first)
        more = f" and {len(complaints) - 1} more" if len(complaints) > 1 else ""
        click.echo(printable(f"{where}{more}: {severity}: {message} [{validator}]"))
    for row in verdict.validators:
        if row["unavailable"]:
            click.echo(f"{row['name']} did not run: {row['unavailable']}")
    if verdict.skipped:
        names = ", ".join(printable(path.name) for path in verdict.skipped[:_MOST])
        more = f" and {len(verdict.skipped) - _MOST} more" if len(verdict.skipped) > _MOST else ""
        click.echo(f"skipped, as not DICOM: {names}{more}")
    asked = ", ".join(row["name"] for row in verdict.validators if not row["unavailable"])
    failed = sum(any(one.severity == "error" for one in verdict.of(file)) for file in verdict.files)
    word = "pass" if verdict.passed else "FAIL"
    click.echo(f"{word}: {len(verdict.files)} files, {failed} with errors, asked: {asked}")
