"""The batteries for what blueprint files name: kinds of virtual element, and functions."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, cast

import pytest

from dicomwright.errors import BlueprintError
from dicomwright.testing.conformance.base import refusal_of
from dicomwright.testing.conformance.built import BuildConformance
from dicomwright.testing.work import Job, built, perform

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from dicomwright.plugins import ElementTypeSpec, FunctionSpec, Spec

__all__ = ["ElementTypeConformance", "FunctionConformance"]

_HEAD = "schema = 1\n\n[elements]\n"


class _RuleConformance(BuildConformance):
    """A battery whose work is a build by a rule of a blueprint file.

    Attributes
    ----------
    expected : mapping of str to str
        Values of the first instance by keyword, as texts.
    files : mapping of str to str
        Text of the files beside the blueprint, by name.

    """

    expected: Mapping[str, str] = {}  # a mapping that nobody changes
    files: Mapping[str, str] = {}  # the same

    def text(self) -> str:
        """Return the rules under test, as lines of a blueprint file."""
        raise NotImplementedError

    def blueprint_file(self, folder: Path, text: str) -> Path:
        """Write a blueprint file, and the files beside it."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in self.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(content, encoding="utf-8")
        path = folder / "rules.toml"
        path.write_text(f"{_HEAD}{text}\n", encoding="utf-8")
        return path

    @pytest.fixture
    def job(self, payload: Any, parent_series: Path | None, tmp_path: Path) -> Job:
        """Return the build by the rules."""
        path = self.blueprint_file(tmp_path / "blueprint", self.text())
        return self.job_of(self.case(payload, parent_series, blueprints=(*self.blueprints, str(path))))

    def test_it_makes_its_values(self, job: Job) -> None:
        """The first instance has the values that are expected, and all instances can be made."""
        series = built(job, job.plugin_set())
        first = series[0]
        found = {
            keyword: str(first[keyword].value) if keyword in first else None for keyword in self.expected
        }
        assert found == dict(self.expected), (
            f"{self.kind} {self.name} gives {found}, not {dict(self.expected)}"
        )
        assert len([series[index] for index in range(len(series))]) == len(series)

    def test_it_is_explained_and_linted(self, job: Job) -> None:
        """The element says in a few words what it does, and lint finds no error."""
        from dicomwright.bundles import load_blueprint
        from dicomwright.factory import DicomFactory

        plugins = job.plugin_set()
        *_, path = job.case["blueprints"]
        own = load_blueprint(path, plugins)
        assert len(own) > 0, "the rules make no element"
        for element in own:
            assert str(element.rule()).strip(), f"rule() of the element of {element.tag} says nothing"
        whole = own
        for name in reversed(job.case["blueprints"][:-1]):
            whole = load_blueprint(name, plugins) + whole
        found = DicomFactory(plugin_set=plugins).lint(whole, job.case["parents"])
        errors = [str(finding) for finding in found if finding.severity == "error"]
        assert not errors, f"lint finds {errors}"


class ElementTypeConformance(_RuleConformance):
    """Asks of a kind of virtual element all that the core and users rely on.

    Say ``module``, ``name``, ``rules`` (lines of a blueprint file that use it), ``expected`` and ``refused``.

    Attributes
    ----------
    rules : str
        Lines of a blueprint file, such as ``StudyDescription = { upper = "brain" }``.
    refused : tuple of str
        Lines that must be refused.

    """

    kind: ClassVar[str] = "element-type"
    rules: str = ""
    refused: tuple[str, ...] = ()

    def text(self) -> str:
        """Return the rules."""
        assert self.rules, f"{type(self).__name__} needs `rules`, lines of a blueprint file"
        return self.rules

    def descriptor_problems(self, spec: Spec) -> Iterator[str]:
        """Yield what is missing in a descriptor."""
        yield from super().descriptor_problems(spec)
        if not cast("ElementTypeSpec", spec).is_stated:
            yield "it does not state what a rule may hold; give value=RuleValue(...) and options=(RuleOption(...), ...)"

    def test_bad_rules_are_refused(self, job: Job, tmp_path: Path) -> None:
        """One clear `BlueprintError` for each of ``refused``."""
        assert self.refused, f"{type(self).__name__} needs `refused`, rules that are wrong"
        found = []
        for number, rule in enumerate(self.refused):
            path = self.blueprint_file(tmp_path / f"refused{number}", rule)
            wrong = self.job_of({**job.case, "blueprints": (*self.blueprints, str(path))})
            found += [f"{rule}: {text}" for text in refusal_of(partial(perform, wrong), BlueprintError)]
        assert not found, "\n".join(found)


class FunctionConformance(_RuleConformance):
    """Asks of a function that blueprint files may name all that the core and users rely on.

    Say ``module``, ``name`` and ``keyword``, and ``expected`` if the value can be known.

    Attributes
    ----------
    keyword : str
        The element that takes the value.

    """

    kind: ClassVar[str] = "function"
    keyword: str = "ImageComments"

    def text(self) -> str:
        """Return a rule that names the function."""
        return f'{self.keyword} = {{ {cast("FunctionSpec", self.spec).level} = "{self.name}" }}'
