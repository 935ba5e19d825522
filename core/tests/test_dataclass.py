"""Frozen dataclasses behave as those of Python."""

import copy
import dataclasses
import inspect
import pickle
from dataclasses import FrozenInstanceError, field, fields, replace

import pytest

from dicomwright._dataclass import dataclass

ways = pytest.mark.parametrize("decorator", [dataclass, dataclasses.dataclass])


@dataclass(frozen=True, slots=True)
class Kept:
    """One that can be found by name."""

    number: int
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptMore(Kept):
    """One that inherits."""

    more: int = 3


def made(decorator, **options):
    """Return a class with all kinds of fields."""

    class Thing:
        """A thing."""

        one: int
        two: str = "b"
        items: list[int] = field(default_factory=list, compare=False)
        hidden: int = field(default=4, repr=False)
        worked_out: int = field(default=5, init=False)

        def __post_init__(self):
            if self.one < 0:
                raise ValueError("one is negative")

    return decorator(frozen=True, **options)(Thing)


@ways
@pytest.mark.parametrize("options", [{}, {"slots": True}, {"kw_only": True}])
def test_fields(decorator, options):
    thing = made(decorator, **options)
    first, second = thing(one=1), thing(one=1, items=[2])
    assert (first.two, first.items, second.items, first.hidden, first.worked_out) == ("b", [], [2], 4, 5)
    assert first == second != thing(one=2)
    assert hash(first) == hash(second)
    assert first != (1, "b", 4, 5)
    assert repr(second).endswith("Thing(one=1, two='b', items=[2], worked_out=5)")
    assert replace(first, two="c") == thing(one=1, two="c")
    assert [one.name for one in fields(thing)] == ["one", "two", "items", "hidden", "worked_out"]
    assert list(inspect.signature(thing).parameters) == ["one", "two", "items", "hidden"]
    with pytest.raises(ValueError, match="negative"):
        thing(one=-1)


@ways
def test_positions(decorator):
    thing = made(decorator)
    assert thing(1, "x", [3], 6) == thing(one=1, two="x", hidden=6)
    with pytest.raises(TypeError, match="one"):
        thing()
    match thing(8, "y"):
        case thing(one, two):
            assert (one, two) == (8, "y")


@ways
@pytest.mark.parametrize("options", [{}, {"slots": True}])
def test_nothing_can_be_set(decorator, options):
    thing = made(decorator, **options)(1)
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'one'"):
        thing.one = 2
    with pytest.raises(FrozenInstanceError, match="cannot delete field 'one'"):
        del thing.one
    assert thing.one == 1
    assert hasattr(thing, "__dict__") is ("slots" not in options)


@ways
def test_equality_can_be_left_out(decorator):
    thing = made(decorator, eq=False)
    assert thing(1) != thing(1)
    assert len({thing(1), thing(1)}) == 2


@ways
def test_own_methods_stay(decorator):
    @decorator(frozen=True)
    class Own:
        """Shows itself."""

        value: int

        def __repr__(self):
            return "own"

        def __eq__(self, other):
            return True

        def __hash__(self):
            return 7

    assert repr(Own(1)) == "own"
    assert Own(1) == Own(2)
    assert hash(Own(1)) == 7


def test_copies_and_pickles():
    one = KeptMore(number=1, names=("a",), more=2)
    for again in (copy.copy(one), copy.deepcopy(one), pickle.loads(pickle.dumps(one))):  # our own
        assert again == one
    assert repr(one) == "KeptMore(number=1, names=('a',), more=2)"
    assert one != Kept(1, ("a",))


def test_python_s_own_inherit_from_them():
    @dataclasses.dataclass(frozen=True)
    class Other(Kept):
        """Of somebody else."""

        other: str = "x"

    assert Other(1, (), "y") == replace(Other(1), other="y")
    with pytest.raises(FrozenInstanceError):
        Other(1).number = 2


def test_one_that_is_not_frozen_is_python_s_own():
    @dataclass
    class Open:
        """An open one."""

        value: int = 0

    one = Open()
    one.value = 2
    assert one == Open(2)
