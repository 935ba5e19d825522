"""The test matrix and every chore of the workspace.

``nox`` runs lint, types, tests and docs on the running Python. ``nox -s matrix`` runs the rest: each member
alone on every Python, with the newest and with the oldest dependencies that it allows, all of them together on
the other Pythons, the built wheels, a real archive, and the demo. ``nox -t matrix --allow-parallel -j auto``
does the same with a session on each core. ``nox --list`` shows all sessions.

The members are read from disk, the Pythons from the classifiers of the core, the dependencies of the sessions
from the groups in the root ``pyproject.toml``. Where uv is installed, it makes the environments. No session
downloads a Python.
"""

from __future__ import annotations

import filecmp
import json
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import nox
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

nox.needs_version = ">=2025.5.1"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.download_python = "never"
nox.options.error_on_missing_interpreters = False  # `matrix` says which are absent, and CI counts what ran
nox.options.sessions = ["lint", "types", "tests", "docs"]
os.environ["UV_PYTHON_DOWNLOADS"] = "never"

ROOT = Path(__file__).parent
WORKSPACE = nox.project.load_toml(ROOT / "pyproject.toml")


class Member(NamedTuple):
    """A distribution of the workspace."""

    name: str
    folder: str
    requirements: tuple[Requirement, ...]
    extras: tuple[str, ...]
    classifiers: tuple[str, ...]
    has_code: bool  # a bundle of blueprints has none


def read_members() -> dict[str, Member]:
    """Return the distributions below core/ and plugins/ by name, the core first."""
    found = [ROOT / "core", *sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))]
    members = {}
    for folder in found:
        project = nox.project.load_toml(folder / "pyproject.toml")["project"]
        members[project["name"]] = Member(
            project["name"],
            "./" + folder.relative_to(ROOT).as_posix(),
            tuple(Requirement(text) for text in project["dependencies"]),
            tuple(project.get("optional-dependencies", ())),
            tuple(project["classifiers"]),
            any(folder.glob("src/**/*.py")),
        )
    return members


MEMBERS = read_members()
PYTHONS = nox.project.python_versions({"project": {"classifiers": MEMBERS["dicomwright"].classifiers}})
RUNNING = f"{sys.version_info.major}.{sys.version_info.minor}"
ELSEWHERE = [python for python in PYTHONS if python != RUNNING]  # `tests` runs all members together here
RESOLUTIONS = ("highest", "lowest-direct")


def with_own_dependencies(name: str) -> list[Member]:
    """Return a member and the members that it needs, itself last."""
    needed: dict[str, Member] = {}
    for requirement in MEMBERS[name].requirements:
        other = canonicalize_name(requirement.name)
        if other in MEMBERS:
            needed |= {member.name: member for member in with_own_dependencies(other)}
    return [*needed.values(), MEMBERS[name]]


def floors(members: Iterable[Member], python: str) -> Iterator[str]:
    """Yield ``name==floor`` for each third-party dependency: the oldest that its declaration allows."""
    oldest: dict[str, Version] = {}
    for requirement in (item for member in members for item in member.requirements):
        name = canonicalize_name(requirement.name)
        applies = requirement.marker is None or requirement.marker.evaluate({"python_version": python})
        if name in MEMBERS or not applies:
            continue
        stated = [Version(part.version) for part in requirement.specifier if part.operator == ">="]
        oldest[name] = max(*stated, oldest.get(name, stated[0]))
    yield from (f"{name}=={version}" for name, version in sorted(oldest.items()))


def group(*names: str) -> tuple[str, ...]:
    """Return the requirements of dependency groups of the workspace."""
    return nox.project.dependency_groups(WORKSPACE, *names)


def editable(members: Iterable[Member], *, extras: bool = False) -> list[str]:
    """Return the install arguments for members as they stand on disk, on request with all their extras."""
    chosen = {
        member: f"[{','.join(member.extras)}]" if extras and member.extras else "" for member in members
    }
    return [part for member, extra in chosen.items() for part in ("-e", member.folder + extra)]


def pytest(session: nox.Session, *arguments: str, distribution: str = "worksteal") -> None:
    """Run pytest on all cores, or on one where nox gives each session a core."""
    alone = getattr(session, "parallel", False)  # older releases of nox have no such attribute
    workers = [] if alone else ["-n", "auto", "--dist", distribution]
    session.run("pytest", *workers, *arguments, *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and format."""
    session.install(*group("lint"))
    session.run("ruff", "check", *session.posargs)
    session.run("ruff", "format", "--check")


@nox.session
def types(session: nox.Session) -> None:
    """Check the types, strictly, of each member by itself."""
    session.install(*editable(MEMBERS.values()), *group("types"))
    for member in MEMBERS.values():
        if member.has_code:
            session.run("mypy", f"{member.folder}/src")
    session.run("mypy", "noxfile.py", "conftest.py", "tests/support")


@nox.session
def tests(session: nox.Session) -> None:
    """Run all tests of all members together on the running Python."""
    session.install(*editable(MEMBERS.values(), extras=True), *group("test", "workspace"))
    pytest(session)


@nox.session
def docs(session: nox.Session) -> None:
    """Run the examples in docstrings, in the READMEs and in the documentation."""
    session.install(*editable(MEMBERS.values()), *group("test", "workspace"))
    pages = [*ROOT.glob("README.md"), *ROOT.glob("docs")]
    in_members = [f"{member.folder}/{part}" for member in MEMBERS.values() for part in ("src", "README.md")]
    examples = ["--doctest-modules", "--examples", "--import-mode=prepend"]  # prepend: each module loads once
    pytest(session, *examples, *in_members, *map(str, pages), distribution="loadfile")  # blocks share names


@nox.session(python=PYTHONS, tags=["matrix"])
@nox.parametrize("resolution", RESOLUTIONS, ids=RESOLUTIONS)
@nox.parametrize("member", list(MEMBERS), ids=list(MEMBERS))
def unit(session: nox.Session, member: str, resolution: str) -> None:
    """Run the tests of one member with what it needs: the newest, its extras too, or the oldest that it allows."""
    members = with_own_dependencies(member)
    constraints: list[str] = []
    if resolution == "lowest-direct":
        oldest = Path(session.create_tmp()) / "floors.txt"
        oldest.write_text("\n".join(floors(members, str(session.python))), encoding="utf-8")
        constraints = ["-c", str(oldest)]
    tables = group("tables") if member == "dicomwright" else ()  # its tests compare its data with them
    session.install(*editable(members, extras=not constraints), *group("test"), *tables, *constraints)
    pytest(session, f"{members[-1].folder}/tests")


@nox.session(python=ELSEWHERE, tags=["matrix"])
def together(session: nox.Session) -> None:
    """Run the tests that need several members, all of them installed; their own tests run in `unit`."""
    session.install(*editable(MEMBERS.values(), extras=True), *group("test", "workspace"))
    pytest(session, "tests")


@nox.session(tags=["matrix"])
def built(session: nox.Session) -> None:
    """Build wheels from source distributions, install them without the sources, run the workspace's tests."""
    with_uv = session.venv_backend == "uv"
    session.install(*group("build"), *(["uv"] if with_uv else []))
    output = Path(session.create_tmp()) / "dist"
    for old in output.glob("*"):
        old.unlink()
    for member in MEMBERS.values():
        installer = "uv" if with_uv else "pip"
        command = ["python", "-m", "build", "--installer", installer, "--outdir", str(output), member.folder]
        session.run(*command, silent=True)
    session.install(*map(str, output.glob("*.whl")), *group("test", "workspace"))
    for name in MEMBERS:
        module = name.replace("-", "_")
        code = f"import {module} as m; assert all('site-packages' in path for path in m.__path__), m.__path__"
        session.run("python", "-I", "-c", code)
    pytest(session, "tests")


ALL_KINDS = ("reader", "encoder", "element-type", "function", "validator", "sender")
RENDERED = (  # template, name, what it brings, other answers
    ("plugin", "acme", ("reader",), {"author": "Ann Author"}),
    ("plugin", "two-words", ALL_KINDS, {"author": "Zoë O'Neil", "summary": "Everything, in one plug-in"}),
    ("plugin", "rules2", ("element-type", "function"), {"author": "Bob"}),
    ("bundle", "st-elsewhere", ("mr", "pet"), {"institution": "St. Elsewhere"}),
    ("bundle", "lab", ("ct",), {"institution": "Labor für Bildgebung"}),
)
NOT_RENDERED = (  # template, the one answer that it cannot use
    ("plugin", {"author": "Ann\nAuthor"}),
    ("bundle", {"institution": " Lab "}),
)


def render(session: nox.Session, folder: Path) -> Iterator[Path]:
    """Yield the folder of each package that the templates make."""
    for template, answer in NOT_RENDERED:
        given = {"name": "no", "author": "Ann", "institution": "Lab", "contact": "a@b.example", **answer}
        said = copied(session, template, given, folder / "no", success_codes=[1], silent=True)
        if "Validation error" not in said:
            session.error(f"The template {template} takes {answer}.")
    for template, name, parts, answers in RENDERED:
        chosen = json.dumps(parts)
        given = {
            "name": name,
            "author": "Ann",
            **(
                {"kinds": chosen}
                if template == "plugin"
                else {"modalities": chosen, "contact": "a@b.example"}
            ),
            **answers,
        }
        copied(session, template, given, folder / name)
        yield folder / name


def copied(session: nox.Session, template: str, given: dict[str, str], target: Path, **how: Any) -> Any:
    """Return what copier says, which renders a template with the answers that are given."""
    data = [part for key, value in given.items() for part in ("--data", f"{key}={value}")]
    return session.run(
        "copier", "copy", "-q", "-f", *data, str(ROOT / "templates" / template), str(target), **how
    )


@nox.session(tags=["matrix"])
def outsider(session: nox.Session) -> None:
    """Be an author: from the templates to wheels beside the built core, tested and used."""
    session.install(*group("build", "outsider"))
    work = Path(session.create_tmp()).resolve()
    shutil.rmtree(work / "wheels", ignore_errors=True)
    shutil.rmtree(work / "rendered", ignore_errors=True)
    rendered = list(render(session, work / "rendered"))
    sources = [ROOT / MEMBERS[name].folder for name in ("dicomwright", "dicomwright-raw")]
    for folder in (*sources, *rendered):
        options = ["--wheel", "--no-isolation", "--outdir", str(work / "wheels")]
        session.run("python", "-m", "build", *options, str(folder), silent=True)
    wheels = {wheel.name.split("-")[0]: wheel for wheel in (work / "wheels").glob("*.whl")}
    core = wheels.pop("dicomwright")
    session.install(f"dicomwright[testing] @ {core.as_uri()}", *map(str, wheels.values()), *group("outsider"))
    for folder, (template, name, parts, _) in zip(rendered, RENDERED, strict=True):
        with session.chdir(folder):
            session.run("pytest", "-q", "-p", "no:cacheprovider")
        used = str(work / "used" / name)
        session.run("python", "-I", str(ROOT / "tests/outsider/use.py"), used, template, name, *parts)


@nox.session(tags=["matrix"])
def pacs(session: nox.Session) -> None:
    """Send to a real archive, find and fetch it again; in a network of its own, which only this session reaches."""
    wanted = {"unshare": "util-linux", "ip": "iproute2", "Orthanc": "orthanc orthanc-dicomweb"}
    known = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    missing = [package for program, package in wanted.items() if shutil.which(program, path=known) is None]
    if missing and os.environ.get("DICOMWRIGHT_REQUIRE_JUDGES") != "1":
        session.skip(f"There is no archive; on Debian: apt-get install {' '.join(missing)}")
    session.install(*editable(MEMBERS.values()), *group("test", "pacs"))
    alone = ["unshare", "--net", *([] if os.geteuid() == 0 else ["--map-root-user"])]
    inside = ["sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
    tested = ["python", "-m", "pytest", "-n0", "tests/pacs", *session.posargs]
    environment = {"DICOMWRIGHT_PACS": "1", "PATH": f"{session.bin}:{known}"}
    session.run(*alone, *inside, *tested, env=environment, external=True)


@nox.session(tags=["matrix"])
def tutorials(session: nox.Session) -> None:
    """Follow the tutorials for authors by the letter, each in an empty folder with an environment of its own."""
    session.install(*group("build"), "hatchling", "pytest")
    work = Path(session.create_tmp()).resolve() / "followed"
    shutil.rmtree(work, ignore_errors=True)
    for name in ("dicomwright", "dicomwright-raw"):
        options = ["--wheel", "--no-isolation", "--outdir", str(work / "wheels")]
        session.run("python", "-m", "build", *options, MEMBERS[name].folder, silent=True)
    for name in ("first-plugin", "first-bundle"):
        page = ROOT / "docs/tutorial" / f"{name}.md"
        session.run("python", "tests/outsider/follow.py", str(page), str(work / "wheels"))


@nox.session(tags=["matrix"])
def demo(session: nox.Session) -> None:
    """Build DICOM series from real input, have independent programs judge them, say where they are."""
    session.install(*editable(MEMBERS.values()), *group("demo"))
    session.run("python", "demo/run_demo.py", *session.posargs)


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Measure against the limit and against other tools; ``-- --quick`` takes two minutes (see benchmarks/)."""
    measured = [MEMBERS[name] for name in ("dicomwright", "dicomwright-nifti")]
    session.install(*(member.folder for member in measured), "matplotlib")
    peers = Path(session.create_tmp()).resolve()
    arguments = []
    for option, python, packages in (
        ("--peers", "python", ("highdicom", "SimpleITK", "nii2dcm", "nifti2dicom")),
        ("--newest", "python3.13", ("nifti-to-dicom",)),  # it needs this Python or a later one
    ):
        if option == "--newest" and not has_python(session, "3.13"):
            session.warn("nifti-to-dicom is left out: there is no Python 3.13.")
            continue
        folder = peers / option.strip("-")
        if not folder.exists():
            session.run(python, "-m", "venv", str(folder), external=True)
        session.run(str(folder / "bin" / "pip"), "install", "-q", *packages, external=True)
        arguments += [option, str(folder / "bin" / "python")]
    session.run("python", "benchmarks/run.py", *arguments, *session.posargs)


@nox.session(default=False)
def faults(session: nox.Session) -> None:
    """Load, kills, full disks and peers that fail, on the node: minutes, and 20 GB of disk for a while."""
    session.install(*editable(MEMBERS.values()), *group("test"))
    session.run(
        "pytest",
        "-n0",
        "-s",
        "plugins/dicomwright-node/faults",
        *session.posargs,
        env={"DICOMWRIGHT_FAULTS": "1"},
    )


@nox.session(default=False)
def standard(session: nox.Session) -> None:
    """Make the tables of the standard from their sources again, and compare them with those of the core."""
    session.install(*group("standard"))
    made = Path(session.create_tmp()) / "tables"
    session.run("python", "tools/generate_standard.py", "--out", str(made), *session.posargs)
    data = ROOT / "core/src/dicomwright/standard/data"
    names = sorted(path.name for path in made.iterdir())
    same, *_ = filecmp.cmpfiles(data, made, names, shallow=False)
    if same != names:
        session.error(f"tools/generate_standard.py makes other files: {sorted({*names} - {*same})}")
    session.log(f"{', '.join(names)}: as committed")


@nox.session(venv_backend="none", default=False)
def matrix(session: nox.Session) -> None:
    """Run everything that the default run leaves out."""
    for python in PYTHONS:
        for member in MEMBERS:
            for resolution in RESOLUTIONS:
                session.notify(f"unit-{python}({member}, {resolution})")
        if python in ELSEWHERE:
            session.notify(f"together-{python}")
    for name in ("built", "outsider", "tutorials", "pacs", "demo", "interpreters"):
        session.notify(name)


@nox.session(venv_backend="none", default=False, tags=["matrix"])
def interpreters(session: nox.Session) -> None:
    """Say which Pythons of the matrix this machine does not have."""
    absent = [python for python in PYTHONS if not has_python(session, python)]
    for python in absent:
        session.warn(f"Python {python} is not on this machine: nothing was tested on it.")
    if not absent:
        session.log(f"All Pythons of the matrix are on this machine: {', '.join(PYTHONS)}.")


def has_python(session: nox.Session, python: str) -> bool:
    """Return whether a Python of that version starts under its usual name."""
    code = f"import sys; sys.exit('%d.%d' % sys.version_info[:2] != {python!r})"
    try:
        session.run(f"python{python}", "-c", code, external=True, silent=True, log=False)
    except nox.command.CommandFailed:
        return False
    return True
