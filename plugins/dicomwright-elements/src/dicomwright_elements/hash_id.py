"""``hash-id``: a pseudonym that follows from the value and a secret key."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from dicomwright.blueprint.resolution import OMIT, Level
from dicomwright_elements.derived import DerivedElement, input_rule, one_or_list, texts
from dicomwright_elements.keys import check_place, digest, read_key

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dicomwright.blueprint.elements import VirtualElement
    from dicomwright.blueprint.environment import SeriesEnvironment
    from dicomwright.blueprint.tags import AnyTag, TagLike
    from dicomwright.bundles import RuleContext

__all__ = ["HashElement"]

#: Fewest and most characters, 40 and 256 bits.
_SHORTEST, _LONGEST, _USUAL = 8, 52, 16
#: Most characters of a VR (PS3.5 section 6.2), where that is fewer than 64.
_LENGTHS = {"AE": 16, "CS": 16, "SH": 16}
_UUID_BITS = (0xF << 76) | (0x3 << 62)
_UUID_MARK = (0x8 << 76) | (0x2 << 62)


class HashElement(DerivedElement):
    """A pseudonym: the same for the same value and key in every tag, and not to be turned back without the key.

    A text has the letters A to Z and the digits 2 to 7 behind the prefix; a UID is below ``2.25.`` (PS3.5 B.2).

    Examples
    --------
    >>> import os
    >>> from dicomwright import SeriesEnvironment, StaticElement
    >>> os.environ["SITE_KEY"] = "an example, and no secret"
    >>> patient = StaticElement("PatientID", "LO", "4711")
    >>> HashElement("PatientID", "LO", patient, "env:SITE_KEY").resolve(SeriesEnvironment())
    'AZUBQ7NB3FXQ5NIZ'

    Parameters
    ----------
    tag, vr
        See `VirtualElement`.
    source : VirtualElement
        The rule that gives the value.
    key : str
        Where the key is: ``env:NAME`` or ``file:/PATH``. It is read once a build.
    prefix, length
        Of a text, not of a UID.

    """

    def __init__(
        self,
        tag: TagLike,
        vr: str,
        source: VirtualElement,
        key: str,
        *,
        prefix: str = "",
        length: int = _USUAL,
    ) -> None:
        super().__init__(tag, vr, [source])
        self.key = key
        self.prefix = prefix
        self.length = length

    @property
    def level(self) -> Level:  # type: ignore[override]  # the key is not known when it is written
        """The level of the input, at least once a series."""
        return max(Level.SERIES, super().level)

    def computation(self, env: SeriesEnvironment) -> Callable[[Sequence[Any]], Any]:  # noqa: ARG002  # not needed
        """Return the function that gives pseudonyms; the key is read now, and kept by nothing else."""
        try:
            key = read_key(self.key)
        except ValueError as error:
            raise self.problem(f"cannot be made: {error}", hint="give the key", kind="missing-key") from None
        return lambda values: self._pseudonym(key, values[0])

    def _pseudonym(self, key: bytes, value: Any) -> Any:
        """Return the pseudonym of a value, of each if there are several; empty stays empty."""
        if value is OMIT:
            return OMIT
        return one_or_list([self._of_text(key, text) if text.strip() else "" for text in texts(value)])

    def _of_text(self, key: bytes, text: str) -> str:
        if self.vr == "UI":
            number = int.from_bytes(digest(key, "uid", text)[:16], "big")
            return f"2.25.{number & ~_UUID_BITS | _UUID_MARK}"  # a UUID of version 8
        letters = base64.b32encode(digest(key, "id", text)).decode("ascii")
        return self.prefix + letters[: self.length]

    def rule(self) -> str:
        """Return the rule in a few words, without the key."""
        return f"pseudonym of ({self.inputs[0].rule()}) with the key in {self.key}"

    @classmethod
    def from_data(cls, tag: AnyTag, data: Any, context: RuleContext) -> HashElement:
        """Make ``{ hash-id = "env:NAME" }`` or ``{ hash-id = "file:/PATH" }``."""
        wrong = check_place(data)
        if wrong:
            raise context.problem(f"hash-id: {wrong}", hint='such as { hash-id = "env:SITE_KEY" }')
        vr = context.vr_of(tag)
        prefix, length = context.options.get("prefix", ""), context.options.get("length", _USUAL)
        if vr == "UI":
            if "prefix" in context.options or "length" in context.options:
                raise context.problem("hash-id: a UID has neither prefix nor length")
            return cls(tag, vr, input_rule(tag, context), data)
        most = _LENGTHS.get(vr, 64)
        if "length" not in context.options:
            length = min(length, max(most - len(prefix), 0))
        if not _SHORTEST <= length <= _LONGEST:
            raise context.problem(
                f"hash-id: {length} characters behind the prefix",
                hint=f"at least {_SHORTEST}, at most {_LONGEST}",
            )
        if len(prefix) + length > most:
            raise context.problem(
                f"hash-id makes {len(prefix) + length} characters, and {vr} holds {most}",
                hint="shorten the prefix, or give a length",
            )
        context.value(tag, prefix + "A" * length)
        return cls(tag, vr, input_rule(tag, context), data, prefix=prefix, length=length)
