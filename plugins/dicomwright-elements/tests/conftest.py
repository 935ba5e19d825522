"""Rules in files, builds from three parent instances, and what became of the values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dicomwright import Blueprint, DicomFactory, Volume
from dicomwright.errors import DicomwrightError

KEY = "a key for tests, and no secret"


@pytest.fixture
def blueprint(tmp_path) -> Any:
    """Return `blueprint(rules, files={name: content}) -> Blueprint`; the first rule stands on line 3."""

    def read(rules: str, files: dict[str, str | bytes] | None = None) -> Blueprint:
        for name, content in (files or {}).items():
            data = content.encode() if isinstance(content, str) else content
            (tmp_path / name).write_bytes(data)
        path = tmp_path / "site.toml"
        path.write_text(f"schema = 1\n[elements]\n{rules}\n", encoding="utf-8")
        return Blueprint.load(path)

    return read


@pytest.fixture
def problems(blueprint) -> Any:
    """Return `problems(rules, files) -> texts`: what is wrong with a file, each at line 3."""

    def read(rules: str, files: dict[str, str | bytes] | None = None) -> list[str]:
        with pytest.raises(DicomwrightError) as caught:
            blueprint(rules, files)
        assert {one.loc.rpartition(":")[2] for one in caught.value.problems} == {"3"}
        return [str(one) for one in caught.value.problems]

    return read


@pytest.fixture
def series(blueprint, make_series) -> Any:
    """Return `series(rules, files, parents={keyword: [values]}, kwargs) -> Series` of three instances."""

    def build(
        rules: str,
        files: dict[str, str | bytes] | None = None,
        parents: dict[str, list[Any]] | None = None,
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        datasets = make_series("MR", shape=(3, 4, 5))
        for keyword, values in (parents or {}).items():
            for dataset, value in zip(datasets, values if len(values) == 3 else values * 3, strict=True):
                if value is None:
                    dataset.pop(keyword, None)
                else:
                    setattr(dataset, keyword, value)
        volume = Volume(np.arange(60, dtype=np.int16).reshape(3, 4, 5))
        whole = Blueprint.load("mr-image") + blueprint(rules, files)
        return DicomFactory().build(volume, whole, parents=datasets, kwargs=kwargs or {})

    return build


@pytest.fixture
def values(series) -> Any:
    """Return `values(keyword, rule, ...) -> [text or None]`: what the instances have, None for no element."""

    def of(keyword: str, rule: str, *arguments: Any, **named: Any) -> list[str | None]:
        made = series(f"{keyword} = {rule}", *arguments, **named)
        return [str(one[keyword].value or "") if keyword in one else None for one in made]

    return of


@pytest.fixture
def refusal(values) -> Any:
    """Return `refusal(keyword, rule, ...) -> text`: the one problem of a build, which names the rule's line."""

    def of(keyword: str, rule: str, *arguments: Any, **named: Any) -> str:
        with pytest.raises(DicomwrightError) as caught:
            values(keyword, rule, *arguments, **named)
        (problem,) = caught.value.problems
        assert problem.loc.endswith("site.toml:3")
        return str(problem)

    return of


@pytest.fixture
def key(monkeypatch) -> str:
    """Set the key SITE_KEY."""
    monkeypatch.setenv("SITE_KEY", KEY)
    return KEY
