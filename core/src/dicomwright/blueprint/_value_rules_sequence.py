"""Rules for sequences: items are datasets, and each of their elements is right (PS3.5 §7.5)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag

from dicomwright.blueprint.tags import describe
from dicomwright.blueprint.vr import check_vr
from dicomwright.errors import Problem

if TYPE_CHECKING:
    from pydicom.dataelem import DataElement

    from dicomwright.blueprint.tags import AnyTag

__all__ = ["MAX_DEPTH", "Nested", "check_items"]

MAX_DEPTH = 64
"""How deep sequences may nest; readers give up on deeper ones."""

Nested = Callable[[BaseTag, str], Callable[[Any], list[Problem]]]
"""Gives the checker of a tag and VR inside an item."""


def check_items(tag: AnyTag, value: Any, *, nested: Nested, path: tuple[Dataset, ...] = ()) -> list[Problem]:
    """Return all that is wrong with a sequence, each problem with the way to it.

    Parameters
    ----------
    tag : AnyTag
        The sequence.
    value : object
        Its items: a list or pydicom Sequence of datasets; None and ``[]`` are empty.
    nested : Nested
        Gives the checkers of the elements.
    path : tuple of Dataset
        The items around this sequence, outermost first.

    """
    if value is None:
        return []
    items = [value] if isinstance(value, Dataset) else value
    if not isinstance(items, list | tuple | Sequence):
        return [
            Problem(
                f"{describe(tag)}: a Python {type(value).__name__} is not a sequence (PS3.5 §7.5)",
                hint="give a list of pydicom Datasets",
                kind="wrong-type",
            ),
        ]
    if len(path) >= MAX_DEPTH:
        return [Problem(f"{describe(tag)}: nested deeper than {MAX_DEPTH} sequences", kind="too-deep")]
    return [
        replace(problem, message=f"{describe(tag)} item {number}: {problem.message}")
        for number, item in enumerate(items, 1)
        for problem in _check_item(item, nested, path)
    ]


def _check_item(item: Any, nested: Nested, path: tuple[Dataset, ...]) -> Iterator[Problem]:
    """Check one item."""
    if not isinstance(item, Dataset):
        yield Problem(
            f"a Python {type(item).__name__} is not an item (PS3.5 §7.5)",
            hint="give a pydicom Dataset",
            kind="wrong-type",
        )
        return
    if any(item is outer for outer in path):
        yield Problem("the item contains itself", hint="give each item its own Dataset", kind="too-deep")
        return
    for tag in sorted(item.keys()):
        try:
            element = item[tag]
        except Exception as error:  # noqa: BLE001 - decoding a raw element raises whatever its bytes lead to
            reason = type(error).__name__
            yield Problem(f"{describe(tag)} cannot be decoded ({reason})", "remove it", kind="undecodable")
            continue
        yield from _check_element(element, nested, (*path, item))


def _check_element(element: DataElement, nested: Nested, path: tuple[Dataset, ...]) -> Iterator[Problem]:
    """Check one element of an item: its VR, then its value."""
    tag, vr = element.tag, str.__str__(element.VR)
    vrs = vr.split(" or ")  # pydicom's name of a VR that is decided while writing
    problem = check_vr(tag, vr) if len(vrs) == 1 and vr != "UN" else None
    if problem is not None:
        yield problem
    elif vr == "SQ":
        yield from check_items(tag, element.value, nested=nested, path=path)
    else:
        yield from min((nested(tag, one)(element.value) for one in vrs), key=len)
