"""Kinds of virtual element, and functions."""

from __future__ import annotations

import random

from dicomwright import StaticElement


def _text(tag, data, context):
    if data == "no":
        raise context.problem(f"{data!r} is no text for capitals")
    return StaticElement(tag, context.vr_of(tag), data.upper())


def upper(tag, data, context):
    """Write a text in capitals.

    >>> upper.__name__
    'upper'

    """
    return _text(tag, data, context)


def wrong_value(tag, data, context):
    return StaticElement(tag, context.vr_of(tag), str(data).lower())


def raises(tag, data, context):
    return _text(tag, data, context) if data != "no" else data.no_such_method()


def takes_all(tag, data, context):
    return StaticElement(tag, context.vr_of(tag), str(data).upper())


class Speechless(StaticElement):
    def rule(self):
        return ""


def speechless(tag, data, context):
    return Speechless(tag, context.vr_of(tag), str(data).upper())


def answer():
    """Return the answer.

    >>> answer()
    '42'

    """
    return "42"


def unsure():
    return str(random.random())


def faulty():
    raise ZeroDivisionError


def number(env):
    """Return the number of the instance as a text.

    >>> number.__name__
    'number'

    """
    return str(env.instance_number)
