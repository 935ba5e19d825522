"""What this distribution provides. Imports nothing heavy: network code loads with the first command that needs it."""

from __future__ import annotations

from dicomwright.plugins import CommandSpec, hookimpl

__all__ = ["dicomwright_commands"]


@hookimpl
def dicomwright_commands() -> list[CommandSpec]:
    """Give the command group of the node."""
    return [
        CommandSpec(
            name="node",
            summary="Receive series, run a pipeline on them, send the result on.",
            target="dicomwright_node.cli.group:node",
        )
    ]
