"""Wrappers around a whole build."""

from __future__ import annotations

import numpy as np
import pytest

from dicomwright.blueprint.blueprint import Blueprint
from dicomwright.errors import BlueprintError, PluginError
from dicomwright.factory import DicomFactory
from dicomwright.payload import Volume
from dicomwright.plugins import load

WHERE = {"source": "s", "blueprint": "b", "parents": "p"}


def wrapper(body: str) -> str:
    return "@hookimpl(wrapper=True)\ndef dicomwright_build(source, parents):\n" + "".join(
        f"    {line}\n" for line in body.splitlines()
    )


def test_without_wrappers_the_build_is_just_called(site):  # noqa: ARG001  # a fresh folder
    assert load().around_build(lambda: None, **WHERE) is None
    assert load().around_build(lambda: 3, **WHERE) == 3


def test_wrapper_sees_arguments_and_may_change_the_result(site):
    site.add("acme-w", wrapper("result = yield\nreturn (source, parents, result)"))
    assert load().around_build(lambda: 3, **WHERE) == ("s", "p", 3)


def test_wrappers_nest_in_one_order(site):
    for distribution in ("acme-a", "acme-b"):
        site.add(distribution, wrapper(f"return {distribution!r} + (yield)"))
    assert load().around_build(lambda: "!", **WHERE) == "acme-bacme-a!"


def test_error_of_the_build_passes_as_it_is(site):
    site.add("acme-w", wrapper("return (yield)"))
    for error in (ValueError("mine"), BlueprintError("mine"), KeyboardInterrupt(), SystemExit(3)):

        def build(error=error):
            raise error

        with pytest.raises(type(error)) as caught:
            load().around_build(build, **WHERE)
        assert caught.value is error


def test_wrapper_may_refuse(site):
    site.add(
        "acme-w", wrapper("raise __import__('dicomwright.errors').errors.SourceError('not today')\nyield")
    )
    with pytest.raises(Exception, match=r"^not today$") as caught:
        load().around_build(lambda: 3, **WHERE)
    assert type(caught.value).__name__ == "SourceError"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("raise OSError('x')\nyield", "OSError: x"),
        ("yield\nraise OSError('x')", "OSError: x"),
        ("try:\n    yield\nexcept ValueError:\n    raise OSError('x')", "OSError: x"),
        ("yield\nraise SystemExit(0)", "it called sys.exit(0)"),
    ],
)
def test_wrapper_that_fails_is_named(site, body, text):
    site.add("acme-good", wrapper("return (yield)"))
    site.add("acme-w", wrapper(body))
    site.add("zzz-good", wrapper("return (yield)"))

    def build():
        if "ValueError" in body:
            raise ValueError

    with pytest.raises(PluginError) as caught:
        load().around_build(build, **WHERE)
    assert str(caught.value) == (
        f'plug-in "w" of acme-w failed around the build, in dicomwright_build: {text}; '
        "DICOMWRIGHT_DISABLE_PLUGINS=acme-w builds without it"
    )


def test_wrapper_that_yields_twice_or_never(site):
    site.add("acme-w", wrapper("yield\nyield"))
    with pytest.raises(PluginError, match="failed around the build, in dicomwright_build: RuntimeError: "):
        load().around_build(lambda: 3, **WHERE)


def test_hook_is_there_for_plain_use(site):
    site.add("acme-w", wrapper("yield\nreturn source"))
    assert load().hook.dicomwright_build(**WHERE) == "s"


@pytest.mark.parametrize(("body", "what"), [("yield", "NoneType"), ("yield\nreturn 3", "int")])
def test_wrapper_that_gives_no_series_back(site, body, what):
    site.add("acme-w", wrapper(body))
    volume = Volume(np.zeros((2, 3, 4), np.int16), np.diag([1.0, 2.0, 3.0, 1.0]))
    with pytest.raises(PluginError) as caught:
        DicomFactory(plugin_set=load()).build(volume, Blueprint.load("ct-image"))
    assert str(caught.value) == (
        f"a plug-in around the build, acme-w, gave {what}, not the series, in dicomwright_build; "
        "it returns what yield gave"
    )
