"""``date-shift``: a date moved by days."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from dicomwright.blueprint.copying import CopyElement
from dicomwright.blueprint.resolution import OMIT, Level
from dicomwright.blueprint.tags import describe, to_tag
from dicomwright.errors import BlueprintError
from dicomwright_elements.dates import shifted_date, shifted_datetime
from dicomwright_elements.derived import DerivedElement, input_rule, one_or_list, plain, texts
from dicomwright_elements.keys import check_place, digest, read_key

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dicomwright.blueprint.elements import VirtualElement
    from dicomwright.blueprint.environment import SeriesEnvironment
    from dicomwright.blueprint.tags import AnyTag, TagLike
    from dicomwright.bundles import RuleContext

__all__ = ["DateShiftElement"]

_MOST_DAYS = 36525  # a century
_YEAR = 365


class DateShiftElement(DerivedElement):
    """A date moved by a number of days: one that is given, or one that follows from the patient and a secret key.

    Examples
    --------
    >>> from dicomwright import SeriesEnvironment, StaticElement
    >>> date = StaticElement("StudyDate", "DA", "20240301")
    >>> DateShiftElement("StudyDate", "DA", date, -1).resolve(SeriesEnvironment())
    '20240229'

    Parameters
    ----------
    tag, vr
        See `VirtualElement`; DA or DT.
    source : VirtualElement
        The rule that gives the date.
    shift : int or str
        The days, negative into the past; or where a key is, ``env:NAME`` or ``file:/PATH``.
    within : int
        With a key: at most this many days, at least one, into the past.
    patient : TagLike
        With a key: the parent's tag that says whose dates are moved by the same number.

    """

    def __init__(
        self,
        tag: TagLike,
        vr: str,
        source: VirtualElement,
        shift: int | str,
        *,
        within: int = _YEAR,
        patient: TagLike = "PatientID",
    ) -> None:
        super().__init__(tag, vr, [source])
        self.shift = shift
        self.within = within
        self.patient = to_tag(patient)

    @property
    def level(self) -> Level:  # type: ignore[override]  # decided by the shift, too
        """The level of the input, with a key at least once a series."""
        return max(Level.SERIES, super().level) if isinstance(self.shift, str) else super().level

    def computation(self, env: SeriesEnvironment) -> Callable[[Sequence[Any]], Any]:
        """Return the function that moves dates by the days of this patient, who is asked for if there is a date."""
        shift = self.shift
        if isinstance(shift, int):
            return lambda values: self._moved(values[0], lambda: shift)
        key = self._key(shift)
        days = cache(lambda: self._days(key, env))
        return lambda values: self._moved(values[0], days)

    def _key(self, place: str) -> bytes:
        """Return the key."""
        try:
            return read_key(place)
        except ValueError as error:
            raise self.problem(f"cannot be moved: {error}", hint="give the key", kind="missing-key") from None

    def _days(self, key: bytes, env: SeriesEnvironment) -> int:
        """Return the days of the patient."""
        try:
            found = texts(plain(CopyElement(self.patient, optional=True).resolve(env)))
        except BlueprintError:
            raise self.problem(
                f"is moved by days that follow from {describe(self.patient)}, "
                "which differs between the parent's instances",
                hint="name another tag with patient, or give a number of days",
                kind="differs-in-parent",
            ) from None
        if env.parents is None or not found or not found[0].strip():
            raise self.problem(
                f"is moved by days that follow from {describe(self.patient)}, which the parent does not have",
                hint="name another tag with patient, or give a number of days",
                kind="missing-in-parent",
            )
        number = int.from_bytes(digest(key, "date-shift", "\\".join(found))[:8], "big")
        return -1 - number % self.within

    def _moved(self, value: Any, days: Callable[[], int]) -> Any:
        """Return a date moved, each if there are several; empty stays empty."""
        if value is OMIT:
            return OMIT
        move = shifted_datetime if self.vr == "DT" else shifted_date
        try:
            return one_or_list([move(text, days()) if text.strip() else "" for text in texts(value)])
        except ValueError as error:
            raise self.problem(f"cannot be moved: {error}", kind="bad-value") from None

    def rule(self) -> str:
        """Return the rule in a few words."""
        by = f"{self.shift:+d} days" if isinstance(self.shift, int) else f"days from the key in {self.shift}"
        return f"{self.inputs[0].rule()}, moved by {by}"

    @classmethod
    def from_data(cls, tag: AnyTag, data: Any, context: RuleContext) -> DateShiftElement:
        """Make ``{ date-shift = -100 }`` or ``{ date-shift = "env:NAME" }``."""
        options = context.options
        keyed = isinstance(data, str)
        if keyed and check_place(data):
            raise context.problem(
                f"date-shift: {check_place(data)}",
                hint='such as { date-shift = "env:SITE_KEY" }, or a number of days',
            )
        if not keyed and ("within" in options or "patient" in options):
            raise context.problem("within and patient are for shifts by a key", hint="take them out")
        within = options.get("within", _YEAR)
        if not keyed and abs(data) > _MOST_DAYS:
            raise context.problem(f"date-shift is {data} days", hint=f"at most {_MOST_DAYS}")
        if not 1 <= within <= _MOST_DAYS:
            raise context.problem(f"within is {within}", hint=f"1 to {_MOST_DAYS} days")
        return cls(
            tag,
            context.vr_of(tag),
            input_rule(tag, context),
            data,
            within=within,
            patient=options.get("patient", "PatientID"),
        )
