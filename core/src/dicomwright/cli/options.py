"""Options that several commands have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    _PairType = click.ParamType[tuple[str, str]]
else:
    _PairType = click.ParamType  # generic only since click 8.4

__all__ = ["PAIR", "plugin_options", "transfer_syntax_options"]


class _Pair(_PairType):
    """``NAME=VALUE``."""

    name = "NAME=VALUE"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        """Split at the first equals sign."""
        if isinstance(value, tuple):
            return value
        name, sign, text = str(value).partition("=")
        if not sign or not name.strip():
            self.fail(f"{value!r} is not of the form NAME=VALUE", param, ctx)
        return name.strip(), text


PAIR: Final = _Pair()


def plugin_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that name reader and encoder, and those that these have."""
    given = (
        click.option(
            "--reader", metavar="NAME", help="The reader to use, if the name of the source does not tell."
        ),
        click.option("--encoder", metavar="NAME", help="The encoder to use."),
        click.option(
            "--reader-opt", "reader_options", type=PAIR, multiple=True, help="An option of the reader."
        ),
        click.option(
            "--encoder-opt",
            "encoder_options",
            type=PAIR,
            multiple=True,
            help="An option of the encoder, as slicing=axial.",
        ),
    )
    for option in reversed(given):
        command = option(command)
    return command


def transfer_syntax_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options ``--transfer-syntax`` and ``--codec-opt``."""
    chosen = click.option(
        "--transfer-syntax",
        "transfer_syntax",
        metavar="NAME|UID",
        default="",
        help="How files are encoded, as deflated, rle or jpeg-ls; explicit-le if not given.",
    )
    options = click.option(
        "--codec-opt", "codec_options", type=PAIR, multiple=True, help="An option of the codec, as ratio=10."
    )
    return chosen(options(command))
