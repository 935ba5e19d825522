"""``dicomwright explain``: where each value of an output comes from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dicomwright.cli.bundle_options import bundle_option, kwarg_option, plugin_set, reading
from dicomwright.cli.lint_command import parents_of
from dicomwright.cli.options import plugin_options, transfer_syntax_options

if TYPE_CHECKING:
    from dicomwright.dry_run import DryRun
    from dicomwright.explain import Explanation

__all__ = ["explain"]

_PATH = click.Path(path_type=Path)


@click.command(short_help="Tell where each value of an output comes from.")
@click.argument("blueprints", metavar="BLUEPRINT...", nargs=-1, required=True)
@click.option(
    "--iod", default="", metavar="NAME", help="The IOD or SOP class, if the blueprint does not say it."
)
@click.option(
    "--parent", "parents", type=_PATH, metavar="DIR", multiple=True, help="The parent series, for its values."
)
@click.option("--source", type=_PATH, metavar="FILE", help="The source, for the values that follow from it.")
@plugin_options
@transfer_syntax_options
@bundle_option
@kwarg_option
@click.option("--tag", metavar="TAG", help="One tag: a keyword or (gggg,eeee).")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list, one object for each tag.")
@click.option(
    "--no-plugins", "without_plugins", is_flag=True, help="Use nothing but what dicomwright itself brings."
)
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.pass_context
def explain(ctx: click.Context, /, **given: Any) -> None:
    """Tell for each tag of the output which rule gives it, from which layer, file and line, and what it overrode.

    Without a parent series or a source there are rules, but few values.

    \b
    dicomwright explain mr-image site.toml --parent mr_series/
    dicomwright explain ct-image --source pred.nii.gz --parent ct_series/ --tag RescaleSlope --json
    """  # noqa: D301  # a real backspace: it keeps the lines below it apart in the help
    from dicomwright.plugins.isolation import stdout_to_stderr

    with stdout_to_stderr():
        run, explanation = _explained(ctx, given)
    rows = explanation.rows if given["tag"] is None else explanation.of(given["tag"])
    if given["as_json"]:
        click.echo(json.dumps([row.as_dict() for row in rows], indent=2))
    elif rows:
        click.echo(explanation.table(rows))
    else:
        click.echo(f"nothing names {given['tag']}: it is not in the output")
    errors = [finding for finding in run.findings if finding.severity == "error"]
    for finding in errors:
        click.echo(f"dicomwright: {finding}", err=True)
    ctx.exit(1 if errors else 0)


def _explained(ctx: click.Context, given: dict[str, Any]) -> tuple[DryRun, Explanation]:
    """Lay the blueprints over each other and explain what they come to."""
    from dicomwright.build import BuildOptions
    from dicomwright.dry_run import dry_run
    from dicomwright.explain import explain_plan, explain_rules

    run = dry_run(
        reading(given["blueprints"], ctx, given).whole(),
        parents_of(given["parents"]),
        given["iod"],
        source=given["source"],
        options=BuildOptions(
            reader=given["reader"],
            reader_options=dict(given["reader_options"]),
            encoder=given["encoder"],
            encoder_options=dict(given["encoder_options"]),
            transfer_syntax=given["transfer_syntax"],
            codec_options=dict(given["codec_options"]),
            kwargs=dict(given["kwargs"]),
        ),
        plugin_set=plugin_set(ctx, given),
    )
    if run.plan is None:
        return run, explain_rules(run.rules)
    return run, explain_plan(run.plan, has_source=given["source"] is not None)
