"""The options of commands that name blueprints: ``--bundle`` and ``--kwarg``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dicomwright.cli.options import PAIR

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from dicomwright.bundles.bundle_set import BundleSet
    from dicomwright.bundles.load import Reading
    from dicomwright.plugins import PluginSet

__all__ = ["bundle_option", "bundle_set", "kwarg_option", "plugin_options", "plugin_set", "reading"]


def bundle_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the option ``--bundle``."""
    return click.option(
        "--bundle",
        "bundles",
        type=click.Path(path_type=Path),
        metavar="PATH",
        multiple=True,
        help="A bundle of blueprints: a folder or a zip. Besides those of DICOMWRIGHT_BUNDLES and the installed ones.",
    )(command)


def kwarg_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the option ``--kwarg``."""
    return click.option(
        "--kwarg",
        "kwargs",
        type=PAIR,
        multiple=True,
        help="A value for a parameter of the blueprint, or for its functions.",
    )(command)


def plugin_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options ``--no-plugins`` and ``--debug``."""
    switch = click.option(
        "--no-plugins",
        "without_plugins",
        is_flag=True,
        help="Use nothing but what dicomwright itself brings.",
    )
    return switch(click.option("--debug", is_flag=True, help="Show the traceback of an error.")(command))


def plugin_set(ctx: click.Context, given: dict[str, Any]) -> PluginSet:
    """Return the plug-ins that a command uses."""
    from dicomwright.plugins import default, load

    return load(enabled=False) if _without(ctx, given) else default()


def bundle_set(ctx: click.Context, given: dict[str, Any]) -> BundleSet:
    """Return the bundles that a command uses; without plug-ins only those that somebody named."""
    from dicomwright.bundles.bundle_set import BundleSet

    return BundleSet(given["bundles"], installed=not _without(ctx, given))


def reading(names: Iterable[str], ctx: click.Context, given: dict[str, Any]) -> Reading:
    """Return what can be read of the blueprints of a command."""
    from dicomwright.bundles.load import read_blueprints
    from dicomwright.plugins.isolation import stdout_to_stderr

    with stdout_to_stderr():
        return read_blueprints(names, plugin_set(ctx, given), bundle_set(ctx, given))


def _without(ctx: click.Context, given: dict[str, Any]) -> bool:
    """Tell whether plug-ins are switched off."""
    return bool(ctx.find_root().params.get("no_plugins") or given.get("without_plugins"))
