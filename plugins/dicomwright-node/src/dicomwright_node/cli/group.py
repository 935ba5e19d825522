"""``dicomwright node`` and the commands below it, each loaded with its first use."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click

__all__ = ["node"]

_COMMANDS = {
    "serve": ("dicomwright_node.cli.serve_command:serve", "Receive, process and send until stopped."),
    "jobs": ("dicomwright_node.cli.jobs_command:jobs", "List jobs, or show one."),
    "retry": ("dicomwright_node.cli.jobs_command:retry", "Let a failed job begin again."),
    "purge": (
        "dicomwright_node.cli.jobs_command:purge",
        "Remove finished jobs, their instances and outputs.",
    ),
}


class _Lazy(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # click's signature
        if cmd_name not in _COMMANDS:
            return None
        module, _, name = _COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in _COMMANDS.items()])


@click.group(cls=_Lazy, short_help="Receive series, run a pipeline on them, send the result on.")
def node(**_: Any) -> None:
    """Receive series, run a pipeline on them, send the result on."""
