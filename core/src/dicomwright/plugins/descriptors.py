"""What a plug-in says about the things that it provides.

A descriptor is plain data: a name, a line of text and an import string. It is cheap to make, so that listing,
conflict checks and the choice of a reader need no import of the code behind it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from dicomwright._dataclass import dataclass
from dicomwright.errors import PluginError, Problem
from dicomwright.plugins.statements import TAKEN, RuleOption, RuleValue

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "CodecSpec",
    "CommandSpec",
    "ElementTypeSpec",
    "EncoderSpec",
    "ExecutorSpec",
    "FunctionSpec",
    "OptionSpec",
    "ReaderSpec",
    "SenderSpec",
    "Spec",
    "ValidatorSpec",
]

_NAME = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")
_EXTENSION = re.compile(r"\.[^\s./\\A-Z][^\s/\\A-Z]*")
_UID = re.compile(r"(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*))+")
_MEDIA_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+")
_LONGEST_NAME = 64
_LONGEST_UID = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionSpec:
    """One option of a reader or encoder, given as ``--reader-opt NAME=VALUE``.

    Examples
    --------
    >>> OptionSpec(name="dpi", summary="resolution of the pages", default="150").default
    '150'

    Attributes
    ----------
    name, summary : str
        The option's name and one line for the user.
    default : str
        Used when the option is not given; empty means that nothing is handed over.

    """

    name: str
    summary: str
    default: str = ""

    def __post_init__(self) -> None:
        _check(self, [*_name_problems(self.name), *_text_problems("summary", self.summary)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """What all descriptors have in common.

    Attributes
    ----------
    name : str
        What users write: lower-case letters and digits, separated by ``.``, ``-`` or ``_``.
    summary : str
        One line for the user.
    target : str
        ``"package.module:object"``, imported when the name is first used.

    """

    name: str
    summary: str
    target: str

    def __post_init__(self) -> None:
        _check(self, list(self._problems()))

    def _problems(self) -> Iterator[str]:
        """Yield what is wrong with the fields."""
        yield from _name_problems(self.name)
        yield from _text_problems("summary", self.summary)
        yield from _target_problems(self.target)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderSpec(Spec):
    """A reader: turns a source file into a payload. The target is a `dicomwright.plugins.Reader` class.

    Examples
    --------
    >>> spec = ReaderSpec(
    ...     name="acme",
    ...     summary="ACME volumes",
    ...     target="dicomwright_acme.reader:AcmeReader",
    ...     extensions=(".acme", ".acme.gz"),
    ...     magic=((0, b"ACME"),),
    ... )
    >>> spec.extensions
    ('.acme', '.acme.gz')

    Attributes
    ----------
    extensions : tuple of str
        Ends of file names, lower case, with the dot.
    magic : tuple of (int, bytes)
        Bytes that such a file has at an offset from its start; any one of them is enough. They are also
        looked for inside gzip-compressed files.
    media_types : tuple of str
        Such as ``"application/pdf"``.
    options : tuple of OptionSpec
        What ``--reader-opt`` may set.

    """

    extensions: tuple[str, ...] = ()
    magic: tuple[tuple[int, bytes], ...] = ()
    media_types: tuple[str, ...] = ()
    options: tuple[OptionSpec, ...] = ()

    def _problems(self) -> Iterator[str]:
        """Yield what is wrong with the fields."""
        yield from Spec._problems(self)  # noqa: SLF001  super() does not work in a class with slots before 3.14
        yield from _pattern_problems(
            "extensions", self.extensions, _EXTENSION, 'such as ".nii.gz" (lower case)'
        )
        yield from _pattern_problems(
            "media_types", self.media_types, _MEDIA_TYPE, 'such as "application/pdf"'
        )
        yield from _magic_problems(self.magic)
        yield from _instance_problems("options", self.options, OptionSpec)


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderSpec(Spec):
    """An encoder: says how a payload becomes instances of an IOD.

    Attributes
    ----------
    payloads : tuple of str
        Class names of the payloads that it takes, such as ``"Volume"``.
    sop_classes : tuple of str
        UIDs of the SOP classes that it makes; empty means any.
    options : tuple of OptionSpec
        What ``--encoder-opt`` may set.

    """

    payloads: tuple[str, ...]
    sop_classes: tuple[str, ...] = ()
    options: tuple[OptionSpec, ...] = ()

    def _problems(self) -> Iterator[str]:
        """Yield what is wrong with the fields."""
        yield from Spec._problems(self)  # noqa: SLF001  super() does not work in a class with slots before 3.14
        yield from _pattern_problems(
            "payloads", self.payloads, re.compile(r"[A-Za-z]\w*"), 'such as "Volume"'
        )
        yield from _pattern_problems("sop_classes", self.sop_classes, _UID, "a UID")
        yield from _instance_problems("options", self.options, OptionSpec)
        if self.payloads == ():
            yield 'payloads is empty; name at least one, such as ("Volume",)'


@dataclass(frozen=True, slots=True, kw_only=True)
class CodecSpec(Spec):
    """A codec: writes instances in one transfer syntax. The target is a `dicomwright.encoders.codecs.Codec`.

    Examples
    --------
    >>> CodecSpec(name="rle", summary="RLE", target="acme.codecs:Rle", uid="1.2.840.10008.1.2.5").lossy
    False

    Attributes
    ----------
    uid : str
        UID of the transfer syntax.
    lossy : bool
        Whether pixels change.
    options : tuple of OptionSpec
        What ``--codec-opt`` may set.

    """

    uid: str
    lossy: bool = False
    options: tuple[OptionSpec, ...] = ()

    def _problems(self) -> Iterator[str]:
        """Yield what is wrong with the fields."""
        yield from Spec._problems(self)  # noqa: SLF001  super() does not work in a class with slots before 3.14
        yield from _pattern_problems("uid", (self.uid,), _UID, "a UID")
        yield from _instance_problems("options", self.options, OptionSpec)
        if self.lossy not in (True, False):
            yield f"lossy is {self.lossy!r}; it is True or False"


@dataclass(frozen=True, slots=True, kw_only=True)
class ElementTypeSpec(Spec):
    """A kind of virtual element. Its name is the key of the rule in blueprint files.

    What a rule may hold is said here and nowhere else: rules are checked before the target runs, and the JSON
    Schema and messages follow from it.

    Examples
    --------
    >>> spec = ElementTypeSpec(
    ...     name="upper",
    ...     summary="a text in capitals",
    ...     target="dicomwright_acme.elements:UpperElement",
    ...     value=RuleValue(summary="a text", example='{ upper = "brain" }'),
    ...     options=(RuleOption(name="times", summary="how often", kinds=("whole",)),),
    ... )
    >>> spec.options[0].name
    'times'

    Attributes
    ----------
    value : RuleValue, optional
        What stands behind the name; anything if it is not stated.
    options : tuple of RuleOption, optional
        The keys beside it. If neither these nor the value are stated, `dicomwright.bundles.takes` names them.
    vr : bool
        Whether a rule may have ``vr``.
    vrs : tuple of str
        The VRs (PS3.5 section 6.2) that it can make; empty means any.

    """

    value: RuleValue | None = None
    options: tuple[RuleOption, ...] | None = None
    vr: bool = True
    vrs: tuple[str, ...] = ()

    def _problems(self) -> Iterator[str]:
        """Yield what is wrong with the fields."""
        yield from Spec._problems(self)  # noqa: SLF001  super() does not work in a class with slots before 3.14
        yield from _statement_problems(self.name, self.value, self.options)
        yield from _pattern_problems("vrs", self.vrs, re.compile("[A-Z]{2}"), 'such as "LO"')
        if self.vr not in (True, False):
            yield f"vr is {self.vr!r}; it is True or False"

    @property
    def is_stated(self) -> bool:
        """Whether the descriptor says what a rule may hold."""
        return self.value is not None or self.options is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionSpec(Spec):
    """A function that blueprint files may name.

    Attributes
    ----------
    level : {"series", "instance"}
        ``"series"``: it takes no argument and may be named at either level. ``"instance"``: it takes the
        `InstanceEnvironment` and can only be named at the level of instances.

    """

    level: Literal["series", "instance"] = "series"

    def _problems(self) -> Iterator[str]:
        """Yield what is wrong with the fields."""
        yield from Spec._problems(self)  # noqa: SLF001  super() does not work in a class with slots before 3.14
        if self.level not in ("series", "instance"):
            yield f'level is {self.level!r}; it is "series" or "instance"'


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderSpec(Spec):
    """A sender: transmits finished files. The target is a `dicomwright.plugins.Sender` class.

    Attributes
    ----------
    schemes : tuple of str
        URL schemes of the destinations that it serves, such as ``"dicom"``.
    options : tuple of OptionSpec
        What ``--sender-opt`` may set.

    """

    schemes: tuple[str, ...] = ()
    options: tuple[OptionSpec, ...] = ()

    def _problems(self) -> Iterator[str]:
        """Yield what is wrong with the fields."""
        yield from Spec._problems(self)  # noqa: SLF001  super() does not work in a class with slots before 3.14
        yield from _pattern_problems(
            "schemes", self.schemes, re.compile(r"[a-z][a-z0-9+.-]*"), 'such as "dicom"'
        )
        yield from _instance_problems("options", self.options, OptionSpec)


class ExecutorSpec(Spec):
    """An executor: calls functions elsewhere. The target is a `dicomwright.plugins.Executor` class."""

    __slots__ = ()


class ValidatorSpec(Spec):
    """A validator: judges finished files."""

    __slots__ = ()


class CommandSpec(Spec):
    """A command below ``dicomwright``. The target is a click command."""

    __slots__ = ()


def _check(spec: OptionSpec | Spec, problems: list[str]) -> None:
    """Raise all problems of one descriptor at once."""
    if problems:
        what = f"{type(spec).__name__} {spec.name!r}"
        raise PluginError.collect(Problem(f"{what}: {text}", kind="descriptor") for text in problems)


def _name_problems(name: object) -> Iterator[str]:
    """Yield what is wrong with a name that users write."""
    if type(name) is not str or len(name) > _LONGEST_NAME or not _NAME.fullmatch(name):
        yield (
            f"name is {name!r}; it is at most {_LONGEST_NAME} lower-case letters and digits, "
            'with single ".", "-" or "_" between them'
        )


def _text_problems(field: str, text: object) -> Iterator[str]:
    """Yield what is wrong with a line of text."""
    if type(text) is not str or not text.strip() or not text.isprintable():
        yield f"{field} is {text!r}; it is one line of text"


def _target_problems(target: object) -> Iterator[str]:
    """Yield what is wrong with an import string."""
    module, _, attribute = target.partition(":") if type(target) is str else ("", "", "")
    if not all(part.isidentifier() for part in (*module.split("."), *attribute.split("."))):
        yield f'target is {target!r}; it is "package.module:object"'


def _pattern_problems(field: str, values: object, pattern: re.Pattern[str], shape: str) -> Iterator[str]:
    """Yield what is wrong with a tuple of texts of one shape."""
    if type(values) is not tuple:
        yield f"{field} is {values!r}; it is a tuple of texts"
        return
    for value in values:
        if type(value) is not str or len(value) > _LONGEST_UID or not pattern.fullmatch(value):
            yield f"{field} has {value!r}; each is {shape}"


def _magic_problems(magic: object) -> Iterator[str]:
    """Yield what is wrong with magic bytes."""
    if type(magic) is not tuple:
        yield f"magic is {magic!r}; it is a tuple of (offset, bytes)"
        return
    for entry in magic:
        match entry:
            case (int(offset), bytes(mark)) if offset >= 0 and mark and not isinstance(offset, bool):
                continue
            case _:
                yield f'magic has {entry!r}; each is (offset, bytes) such as (0, b"%PDF-")'


def _statement_problems(name: str, value: object, options: object) -> Iterator[str]:
    """Yield what is wrong with the name of an element type, and the statement of what a rule may hold."""
    if name in TAKEN:
        yield f"name is {name!r}, which every rule may have"
    if value is not None and type(value) is not RuleValue:
        yield f"value is {value!r}; it is a RuleValue"
    if options is None:
        return
    yield from _instance_problems("options", options, RuleOption)
    listed = options if type(options) is tuple else ()
    names = [option.name for option in listed if isinstance(option, RuleOption)]
    for twice in sorted({one for one in names if names.count(one) > 1 or one == name}):
        yield f'options has "{twice}" twice'


def _instance_problems(field: str, values: object, wanted: type) -> Iterator[str]:
    """Yield what is wrong with a tuple of instances of one class."""
    if type(values) is not tuple:
        yield f"{field} is {values!r}; it is a tuple of {wanted.__name__}"
        return
    for value in values:
        if not isinstance(value, wanted):
            yield f"{field} has {value!r}; each is an {wanted.__name__}"
