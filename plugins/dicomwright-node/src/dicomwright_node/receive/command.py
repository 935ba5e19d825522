"""Command sets (PS3.7 section 6.3.1): implicit VR little endian, group 0000."""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct, error, pack

__all__ = ["C_CANCEL", "C_ECHO", "C_STORE", "NO_DATASET", "Command", "read_command", "response"]

C_STORE, C_ECHO, C_CANCEL = 0x0001, 0x0030, 0x0FFF
NO_DATASET = 0x0101
_RESPONSE = 0x8000
_HEAD = Struct("<HHL")
_NUMBER = Struct("<H")
_LONGEST_COMMENT = 64
_SOP_CLASS, _FIELD, _MESSAGE, _ANSWERED = 0x0002, 0x0100, 0x0110, 0x0120
_DATASET, _STATUS, _COMMENT, _SOP_INSTANCE = 0x0800, 0x0900, 0x0902, 0x1000


@dataclass(frozen=True, slots=True)
class Command:
    """A request. Texts are as they came, without padding.

    Attributes
    ----------
    field : int
        CommandField (0000,0100).
    message : int
        MessageID (0000,0110).
    dataset : bool
        Whether a dataset follows.
    sop_class, sop_instance : str
        AffectedSOPClassUID (0000,0002) and AffectedSOPInstanceUID (0000,1000), empty if absent.

    """

    field: int
    message: int
    dataset: bool
    sop_class: str
    sop_instance: str


def read_command(data: bytes) -> Command:
    """Read a command set.

    Raises
    ------
    ValueError
        It is none.

    """
    elements: dict[int, bytes] = {}
    pos = 0
    try:
        while pos < len(data):
            group, number, length = _HEAD.unpack_from(data, pos)
            pos += _HEAD.size + length
            if group or pos > len(data):
                raise ValueError("the command set is damaged")
            elements[number] = data[pos - length : pos]
        numbers = [_NUMBER.unpack(elements[number])[0] for number in (_FIELD, _MESSAGE, _DATASET)]
    except (error, KeyError) as damage:
        raise ValueError("the command set is damaged") from damage
    field, message, dataset = numbers
    return Command(
        field, message, dataset != NO_DATASET, _text(elements, _SOP_CLASS), _text(elements, _SOP_INSTANCE)
    )


def response(command: Command, status: int, comment: str = "") -> bytes:
    """Return the command set that answers a request.

    Examples
    --------
    >>> answer = response(Command(C_ECHO, 7, False, "1.2.840.10008.1.1", ""), 0)
    >>> len(answer), answer[:12].hex()
    (78, '000000000400000042000000')

    """
    elements = [_element(_SOP_CLASS, _padded(command.sop_class, "\0"))] if command.sop_class else []
    elements += [
        _element(_FIELD, _NUMBER.pack(command.field & 0x7FFF | _RESPONSE)),
        _element(_ANSWERED, _NUMBER.pack(command.message)),
        _element(_DATASET, _NUMBER.pack(NO_DATASET)),
        _element(_STATUS, _NUMBER.pack(status)),
    ]
    if comment and status:
        elements.append(_element(_COMMENT, _padded(comment[:_LONGEST_COMMENT], " ")))
    if command.sop_instance:
        elements.append(_element(_SOP_INSTANCE, _padded(command.sop_instance, "\0")))
    body = b"".join(elements)
    return _element(0, pack("<L", len(body))) + body


def _text(elements: dict[int, bytes], number: int) -> str:
    """Return a text of a command set."""
    return elements.get(number, b"").decode("latin-1").rstrip("\0 ")


def _padded(text: str, padding: str) -> bytes:
    """Return an encoded text of even length."""
    return (text + padding * (len(text) % 2)).encode("latin-1", "replace")


def _element(number: int, value: bytes) -> bytes:
    """Return an element of group 0000."""
    return _HEAD.pack(0, number, len(value)) + value
