"""``dicomwright learn``: the draft of a blueprint from example series."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dicomwright.cli.lint_command import without_plugins

if TYPE_CHECKING:
    from dicomwright.learn import Learned

__all__ = ["learn"]

_PATH = click.Path(path_type=Path)


@click.command(short_help="Draft a blueprint from example series.")
@click.argument("series", metavar="SERIES...", nargs=-1, required=True, type=_PATH)
@click.option("--out", "-o", type=_PATH, metavar="FILE", required=True, help="The blueprint file to write.")
@click.option("--overwrite", is_flag=True, help="Replace the file if it is there.")
@click.option("--keep-private", is_flag=True, help="Copy private elements; without it they are left out.")
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
@click.option(
    "--no-plugins", "without_plugins", is_flag=True, help="Use nothing but what dicomwright itself brings."
)
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.pass_context
def learn(ctx: click.Context, /, **given: Any) -> None:
    """Draft a blueprint that makes series like the examples, and prove it.

    Each SERIES is a folder of single-frame CT, MR or PET images. Every tag is classified, and the draft has a rule
    or a comment for each. Then the examples are built again from their own pixels, and what differs is listed.
    Exit code 1 if anything differs that the draft does not say.

    \b
    dicomwright learn ct_series/ --out site-ct.toml
    dicomwright learn patient1/ patient2/ patient3/ --out site-ct.toml
    """  # noqa: D301  # a real backspace: it keeps the lines below it apart in the help
    from dicomwright.learn import learn as learn_from
    from dicomwright.plugins import default, load
    from dicomwright.plugins.isolation import stdout_to_stderr

    out: Path = given["out"]
    _check_free(out, overwrite=given["overwrite"])
    plugin_set = load(enabled=False) if without_plugins(ctx, given) else default()
    with stdout_to_stderr():
        learned = learn_from(*given["series"], keep_private=given["keep_private"], plugin_set=plugin_set)
    _write(out, learned.text)
    click.echo(json.dumps(learned.as_dict(), indent=2) if given["as_json"] else _report(out, learned))
    ctx.exit(1 if learned.unexpected else 0)


def _check_free(out: Path, *, overwrite: bool) -> None:
    """Refuse to replace a file that nobody said to replace."""
    from dicomwright.errors import PublishError

    if out.is_dir():
        raise PublishError(f"{out} is a folder", hint="name the blueprint file: --out site.toml")
    if not out.parent.is_dir():
        raise PublishError(f"{out} cannot be written: {out.parent} is no folder", hint="make it first")
    if out.exists() and not overwrite:
        raise PublishError(f"{out} is there already", hint="name another file, or give --overwrite")
    if out.exists() and not out.is_file():
        raise PublishError(f"{out} is not a regular file", hint="name the blueprint file: --out site.toml")


def _write(out: Path, text: str) -> None:
    """Write the file as a whole."""
    from dicomwright.bundles.stores import replace_text
    from dicomwright.errors import PublishError

    try:
        replace_text(out, text)
    except OSError as error:
        raise PublishError(f"{out} cannot be written: {error.strerror}") from None


def _report(out: Path, learned: Learned) -> str:
    """Return what was found, in lines."""
    from dicomwright.cli.entry import printable

    counts = learned.as_dict()["tags"]
    told = [one for one in learned.differences if one.told]
    lines = [
        f"{out}: a draft on top of {learned.base}",
        "tags: " + ", ".join(f"{count} {kind}" for kind, count in counts.items()),
        f"built {learned.instances} instances again: largest difference of a pixel value {learned.largest_error:g}",
        f"{len(told)} tags differ as the draft says:",
        *(f"  {one.name} {one.what}: {one.why}" for one in told),
        f"{len(learned.unexpected)} tags differ otherwise",
        *(f"  {one.name} {one.what} in {one.instances} instances" for one in learned.unexpected),
    ]
    return printable("\n".join(lines))
