"""Options that several commands have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    _PairType = click.ParamType[tuple[str, str]]
else:
    _PairType = click.ParamType  # generic only since click 8.4

__all__ = ["PAIR", "transfer_syntax_options"]


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
