"""The commands, each imported when it is used."""

from __future__ import annotations

from copy import copy
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["cli"]

_COMMANDS = {
    "build": ("dicomwright.cli.build_command:build", "Build a DICOM series from a source and blueprints."),
    "blueprint": (
        "dicomwright.cli.blueprint_command:blueprint",
        "Look into one blueprint: show, diff, flatten, check.",
    ),
    "blueprints": (
        "dicomwright.cli.blueprints_command:blueprints",
        "List the blueprints that can be named.",
    ),
    "bundle": (
        "dicomwright.cli.bundle_command:bundle",
        "Check a bundle of blueprints; lock bundles and verify the lock.",
    ),
    "bundles": ("dicomwright.cli.bundles_command:bundles", "List the bundles of blueprints."),
    "explain": (
        "dicomwright.cli.explain_command:explain",
        "Tell where each value of an output comes from.",
    ),
    "learn": ("dicomwright.cli.learn_command:learn", "Draft a blueprint from example series."),
    "lint": ("dicomwright.cli.lint_command:lint", "Check a blueprint against the standard."),
    "schema": ("dicomwright.cli.schema_command:schema", "Print the JSON Schema of blueprint files."),
    "send": ("dicomwright.cli.send_command:send", "Send finished DICOM files to archives."),
    "validate": ("dicomwright.cli.validate_command:validate", "Judge finished DICOM files."),
    "plugins": ("dicomwright.cli.plugins_command:plugins", "List the plug-ins and whether they can be used."),
}


class _LazyGroup(click.Group):
    """Knows its commands by name and imports the one that runs; plug-ins add theirs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return sorted({*_COMMANDS, *_plugin_commands(ctx)})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command."""
        if cmd_name in _COMMANDS:
            return _imported(_COMMANDS[cmd_name][0])
        specs = _plugin_commands(ctx)
        if cmd_name not in specs:
            return None
        registry = _plugin_set(ctx).registry("command")
        command = registry.resolve(cmd_name)
        with registry.using(cmd_name):
            if not isinstance(command, click.Command):
                raise TypeError(f"{registry.spec(cmd_name).target} is no click command")
        command = copy(command)
        command.invoke = partial(_invoked, command.invoke, lambda: registry.using(cmd_name))  # type: ignore[method-assign]
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """Return the command that is asked for, or say which there are."""
        name = args[0] if args else ""
        if self.get_command(ctx, name) is None:
            import difflib

            near = difflib.get_close_matches(name, self.list_commands(ctx), 1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            ctx.fail(f"there is no command {name!r}.{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands with their summaries, importing none of them."""
        summaries = {name: summary for name, (_, summary) in _COMMANDS.items()} | _plugin_commands(ctx)
        with formatter.section("Commands"):
            formatter.write_dl(sorted(summaries.items()))


def _imported(target: str) -> click.Command:
    module, _, name = target.partition(":")
    command: click.Command = getattr(import_module(module), name)
    return command


def _invoked(invoke: Callable[[click.Context], Any], using: Callable[[], Any], ctx: click.Context) -> Any:
    """Run the command of a plug-in; what its code raises is told with its name."""
    try:
        return invoke(ctx)
    except (click.ClickException, click.Abort, click.exceptions.Exit, OSError):
        raise
    except Exception:
        with using():
            raise


def _plugin_set(ctx: click.Context) -> Any:
    from dicomwright.plugins import default, load

    return load(enabled=False) if ctx.find_root().params.get("no_plugins") else default()


def _plugin_commands(ctx: click.Context) -> dict[str, str]:
    """Return the names and summaries of the commands that plug-ins add."""
    registry = _plugin_set(ctx).registry("command")
    return {name: registry.spec(name).summary for name in registry.names() if name not in _COMMANDS}


def _print_version(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from dicomwright._version import version

        click.echo(f"dicomwright {version()}")
        ctx.exit()


def _trace_plugins(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from dicomwright.plugins.trace import switch_on

        switch_on()


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Print the version and exit.",
)
@click.option("--no-plugins", is_flag=True, help="Use nothing but what dicomwright itself brings.")
@click.option(
    "--trace-plugins",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_trace_plugins,
    help="Say on standard error what plug-ins do: found, called, chosen, and how long it took.",
)
def cli(*, no_plugins: bool) -> None:
    """Build valid DICOM from arrays, NIfTI and more, following a blueprint."""
