"""``dicomwright bundle``: check a bundle before it is given to others, lock bundles, verify a lock."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dicomwright.cli.bundle_options import bundle_option, bundle_set, plugin_options, plugin_set

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["bundle"]

_PATH = click.Path(path_type=Path)
_LOCK = Path("dicomwright.lock")


def _lock_file(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--lock-file", type=_PATH, metavar="FILE", default=_LOCK, show_default=True, help="The lock."
    )(command)


@click.group(short_help="Check a bundle of blueprints; lock bundles and verify the lock.")
def bundle() -> None:
    """Check a bundle before it is given to others; lock the bundles of a pipeline, and verify the lock."""


@bundle.command(short_help="Is it fit to be given to others?")
@click.argument("path", type=_PATH)
@bundle_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@plugin_options
@click.pass_context
def check(ctx: click.Context, /, **given: Any) -> None:
    """Check the bundle at PATH: a folder, a zip, a wheel, or the project that packages it.

    Its bundle.toml, lint of each blueprint, a build of each from made-up data, with and without a parent series, and a
    page that names each. Exit code 1 if there is an error.
    """
    from dicomwright.bundle_check import check_bundle
    from dicomwright.cli.entry import printable
    from dicomwright.plugins.isolation import stdout_to_stderr

    with stdout_to_stderr():
        done = check_bundle(given["path"], plugin_set(ctx, given), given["bundles"])
    if given["as_json"]:
        as_dict = {
            "name": done.name,
            "version": done.version,
            "ok": done.ok,
            "blueprints": dict(done.blueprints),
            "findings": [finding.as_dict() for finding in done.findings],
        }
        click.echo(json.dumps(as_dict, indent=2))
    else:
        for finding in done.findings:
            click.echo(printable(str(finding)))
        for name, state in done.blueprints:
            click.echo(f"{name}: {state}")
        errors = sum(finding.severity == "error" for finding in done.findings)
        verdict = "ok" if done.ok else "1 error" if errors == 1 else f"{errors} errors"
        click.echo(f"{done.name} {done.version}: {verdict}")
    ctx.exit(0 if done.ok else 1)


@bundle.command(short_help="Write down bundles and plug-ins as they are.")
@click.argument("names", metavar="[NAME]...", nargs=-1)
@_lock_file
@bundle_option
@plugin_options
@click.pass_context
def lock(ctx: click.Context, /, **given: Any) -> None:
    """Write the SHA-256 of each file of the bundles, and the versions of the plug-ins, into a lock.

    All bundles that can be used, or those that are NAMEd.
    """
    from dicomwright.bundles.lock import lock_of, write_lock
    from dicomwright.cli.entry import printable

    known = bundle_set(ctx, given)
    known.require_given()
    wanted = [known.bundle(name) for name in dict.fromkeys(given["names"])] or known.usable
    made = lock_of(wanted, plugin_set(ctx, given))
    write_lock(made, given["lock_file"])
    names = ", ".join(f"{one.name} {one.version}" for one in made.bundles) or "no bundle"
    file = printable(str(given["lock_file"]))
    click.echo(f"{file}: {names}; {len(made.plugins)} distributions of plug-ins")


@bundle.command(short_help="Are bundles and plug-ins as the lock says?")
@_lock_file
@bundle_option
@plugin_options
@click.pass_context
def verify(ctx: click.Context, /, **given: Any) -> None:
    """Compare bundles and plug-ins with a lock, byte by byte. Exit code 1 if anything differs."""
    from dicomwright.bundles.lock import read_lock, require_locked

    locked = read_lock(given["lock_file"])
    require_locked(locked, bundle_set(ctx, given), plugin_set(ctx, given))
    click.echo(f"{locked.file}: all as locked, {locked.sha256}")
