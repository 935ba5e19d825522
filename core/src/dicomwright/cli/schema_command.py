"""``dicomwright schema``: what blueprint files may hold, for editors and other programs."""

from __future__ import annotations

import click

__all__ = ["schema"]


@click.command(short_help="Print the JSON Schema of blueprint files.")
@click.option("--with-plugins", is_flag=True, help="Include the element types and functions of plug-ins.")
@click.option("--bundle-manifest", is_flag=True, help="Print that of bundle.toml.")
@click.option(
    "--draft",
    type=click.Choice(["7", "2020-12"]),
    default="7",
    show_default=True,
    help="Draft of JSON Schema.",
)
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.pass_context
def schema(ctx: click.Context, /, **given: bool | str) -> None:
    """Print the JSON Schema of blueprint files: every keyword, every kind of rule and what stands beside it.

    An editor that has it completes and checks while you type.

    \b
    dicomwright schema --with-plugins > blueprint.schema.json
    dicomwright schema --bundle-manifest > bundle.schema.json
    """  # noqa: D301  # a real backspace: it keeps the lines below it apart in the help
    from dicomwright.bundles.schema import as_text, blueprint_schema, manifest_schema
    from dicomwright.plugins import default, load

    draft = str(given["draft"])
    if given["bundle_manifest"]:
        click.echo(as_text(manifest_schema(draft)).encode(), nl=False)  # UTF-8 everywhere
        return
    with_plugins = given["with_plugins"] and not ctx.find_root().params.get("no_plugins")
    plugin_set = default() if with_plugins else load(enabled=False)
    click.echo(as_text(blueprint_schema(plugin_set, draft)).encode(), nl=False)
