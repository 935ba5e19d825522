"""``dicomwright encode-pdf``: a report as a document, as images of its pages, or both in one study."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dicomwright.cli.bundle_options import bundle_option, kwarg_option
from dicomwright.cli.options import PAIR, transfer_syntax_options

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dicomwright.blueprint.blueprint import Blueprint
    from dicomwright.engine.series import Series

__all__ = ["encode_pdf"]

_PATH = click.Path(path_type=Path)
_RENDERING = ("password", "dpi", "colour", "pages")
_OF_DOCUMENT = ("title", "concept")


@click.command("encode-pdf", short_help="Store a PDF report as a document, as images of its pages, or both.")
@click.argument("report", type=_PATH)
@click.option(
    "--form",
    type=click.Choice(["encapsulated", "pages", "both"]),
    default="encapsulated",
    show_default=True,
    help="The document itself, images of its pages, or both as two series of one study.",
)
@click.option(
    "--blueprint",
    "blueprints",
    metavar="NAME|FILE",
    multiple=True,
    help="Blueprints, combined left to right; encapsulated-pdf if none is given.",
)
@click.option(
    "--pages-blueprint",
    "pages_blueprints",
    metavar="NAME|FILE",
    multiple=True,
    help="With --form both: blueprints of the pages, instead of what of --blueprint is not about the document.",
)
@bundle_option
@kwarg_option
@click.option(
    "--parent",
    "parents",
    type=_PATH,
    metavar="DIR",
    multiple=True,
    help="The series that the report is about.",
)
@click.option(
    "--out", type=_PATH, metavar="DIR", required=True, help="The folder; it must not exist, or be empty."
)
@click.option("--dpi", metavar="NUMBER", help="Resolution of the pages  [default: 150]")
@click.option("--colour", metavar="rgb|grey", help="Of the pages  [default: rgb]")
@click.option("--pages", metavar="RANGES", help="The pages that become images, as 1-3,7  [default: all]")
@click.option("--password", help="Of an encrypted document.")
@click.option("--title", help="DocumentTitle, instead of the title in the document's metadata.")
@click.option("--concept", metavar="VALUE^SCHEME^MEANING", help="What kind of document it is.")
@click.option(
    "--reader-opt",
    "reader_options",
    type=PAIR,
    multiple=True,
    help="Another option of the reader, as max_pages=2000.",
)
@transfer_syntax_options
@click.option("--overwrite", is_flag=True, help="Replace what an earlier run wrote into the folder.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")
@click.option("--quiet", is_flag=True, help="No warnings, no summary.")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def encode_pdf(**given: Any) -> None:
    """Store a PDF REPORT as a document, as images of its pages, or both.

    With --form both the document is written into OUT/document and the pages into OUT/pages, both or none.

    \b
    dicomwright encode-pdf report.pdf --form both --parent ct_series/ --out out/ --dpi 150
    """  # noqa: D301  # a real backspace: it keeps the line below it apart in the help
    from dicomwright.factory import DicomFactory

    out, both = given["out"], given["form"] == "both"
    _check(out, both=both, overwrite=given["overwrite"])
    named = {name: given[name] for name in _RENDERING if given[name] is not None}
    of_document = {name: given[name] for name in _OF_DOCUMENT if given[name] is not None}
    series = DicomFactory().encode_pdf(
        given["report"],
        given["parents"][0] if len(given["parents"]) == 1 else list(given["parents"]) or None,
        _blueprint(given["blueprints"] or ("encapsulated-pdf",), given["bundles"]),
        dict(given["kwargs"]),
        form=given["form"],
        pages_blueprint=_blueprint(given["pages_blueprints"], given["bundles"])
        if given["pages_blueprints"]
        else None,
        reader_options=dict(given["reader_options"]) | named,
        encoder_options=of_document,
        transfer_syntax=given["transfer_syntax"],
        codec_options=dict(given["codec_options"]),
    )
    if both:
        _write_both(series[0], series[1], out, overwrite=given["overwrite"])
    else:
        series[0].write(out, overwrite=given["overwrite"])
    if not given["quiet"]:
        _tell(series)
    if given["as_json"]:
        click.echo(json.dumps(_result(series), indent=2))


def _check(out: Path, *, both: bool, overwrite: bool) -> None:
    """Refuse a folder that must not be written, before any work is done."""
    from dicomwright.engine.publish import check_target

    if not (both and overwrite):
        check_target(out, overwrite=overwrite)
    for folder in ("document", "pages") if both else ():
        check_target(out / folder, overwrite=overwrite)


def _blueprint(names: Iterable[str], bundles: Iterable[Path]) -> Blueprint:
    """Return blueprints combined left to right."""
    from dicomwright.bundles.load import read_blueprints

    return read_blueprints(names, bundles=bundles).whole()


def _write_both(document: Series, pages: Series, out: Path, *, overwrite: bool) -> None:
    """Write both series, or none: the document is published when the pages are ready to be."""

    def write_document(_: Any) -> dict[str, Any]:
        document.write(out / "document", overwrite=overwrite)
        return {}

    made = not out.exists()
    try:
        pages.write(out / "pages", overwrite=overwrite, checks=[write_document])
    except BaseException:
        with suppress(OSError):
            if made:
                out.rmdir()
        raise


def _tell(several: Iterable[Series]) -> None:
    """Say on standard error what was written and what to know of it."""
    from dicomwright.cli.entry import printable

    for warning in dict.fromkeys(warning for series in several for warning in series.warnings):
        click.echo(f"dicomwright: warning: {printable(warning)}", err=True)
    for written in (series.result["series"][0] for series in several):
        text = f"{written['instances']} instances in {written['directory']}"
        click.echo(f"dicomwright: {printable(text)}", err=True)


def _result(several: Iterable[Series]) -> dict[str, Any]:
    """Return what was built, as plain data; the encoders in the order of the series."""
    results = [series.result for series in several]
    return {
        "series": [result["series"][0] for result in results],
        "reader": results[0]["reader"],
        "encoders": [result["encoder"] for result in results],
        "warnings": list(dict.fromkeys(warning for result in results for warning in result["warnings"])),
        "seconds": round(sum(result["seconds"] for result in results), 3),
    }
