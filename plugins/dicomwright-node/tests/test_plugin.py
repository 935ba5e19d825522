"""What the plug-in says of itself."""

from __future__ import annotations

from click.testing import CliRunner

from dicomwright_node.cli.group import node


def test_the_group_lists_its_commands_without_loading_them():
    shown = CliRunner().invoke(node, ["--help"])
    assert shown.exit_code == 0
    assert "serve" in shown.output
