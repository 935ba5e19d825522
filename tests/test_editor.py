"""What an editor's language server makes of our schemas: it finds nothing wrong, and completes."""

from __future__ import annotations

import json
import queue
import re
import subprocess
import sysconfig
import threading
import tomllib
from contextlib import contextmanager
from pathlib import Path

import pytest

from dicomwright.bundles.schema import as_text, blueprint_schema, shipped_schema
from dicomwright.plugins import load
from workbench.fixtures import ROOT

SCRIPTS = Path(sysconfig.get_path("scripts"))
SHIPPED = sorted((ROOT / "core/src/dicomwright/blueprints").glob("*.toml"))
PAGES = [*ROOT.glob("plugins/*/README.md"), *(ROOT / "docs").rglob("*.md")]


@pytest.fixture(scope="module")
def schema(tmp_path_factory):
    """Return the schema with the plug-ins of the workspace, as `dicomwright schema --with-plugins` writes it."""
    path = tmp_path_factory.mktemp("schema") / "blueprint.schema.json"
    path.write_text(as_text(blueprint_schema(load())), encoding="utf-8")
    return path


def taplo(*arguments):
    command = [SCRIPTS / "taplo", "check", "--no-auto-config", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_taplo_accepts_the_shipped_blueprints(tmp_path):
    path = tmp_path / "blueprint.schema.json"
    path.write_text(shipped_schema(), encoding="utf-8")
    assert len(SHIPPED) > 10
    done = taplo("--schema", path.as_uri(), *SHIPPED)
    assert done.returncode == 0, done.stderr
    assert f"total={len(SHIPPED)} excluded=0" in done.stderr


def blueprints_on_pages():
    """Yield the blueprint files that pages show."""
    for page in PAGES:
        for text in re.findall(r"```toml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
            if "elements" in tomllib.loads(text):
                yield page, text if "schema" in text else f"schema = 1\n{text}"


def test_taplo_accepts_the_blueprints_of_the_documentation(tmp_path, schema):
    files = []
    for number, (page, text) in enumerate(blueprints_on_pages()):
        files.append(tmp_path / f"{page.stem}-{number}.toml")
        files[-1].write_text(text, encoding="utf-8")
    assert len(files) > 5
    done = taplo("--schema", schema.as_uri(), *files)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("rule", "place"),
    [
        ('PatientNam = "copy"', "3:14"),
        ('PatientName = { static = "x", fnal = true }', "3:38"),
        ('PatientName = { copy = "maybe" }', "3:24"),
        ("StudyDate = { date-shift = 1.5 }", "3:28"),
        ("StudyDate = { counter = 1 }", "3:13"),
    ],
)
def test_taplo_points_at_what_is_wrong(tmp_path, schema, rule, place):
    path = tmp_path / "wrong.toml"
    path.write_text(f"schema = 1\n[elements]\n{rule}\n", encoding="utf-8")
    done = taplo("--schema", schema.as_uri(), path)
    assert done.returncode != 0
    assert f"wrong.toml:{place}" in done.stderr


class Server:
    """A language server on its standard streams."""

    def __init__(self, process):
        self.process = process
        self.answers = queue.Queue()
        self.count = 0
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        while head := self.process.stdout.readline():
            length = int(head.split(b":")[1])
            while self.process.stdout.readline().strip():
                pass
            self.answers.put(json.loads(self.process.stdout.read(length)))

    def send(self, **message):
        data = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(data), data))
        self.process.stdin.flush()

    def ask(self, method, **params):
        self.count += 1
        self.send(id=self.count, method=method, params=params)
        while True:
            answer = self.answers.get(timeout=60)
            if "method" in answer and "id" in answer:  # it asks for settings: there are none
                wanted = (answer.get("params") or {}).get("items", [])
                self.send(id=answer["id"], result=[{"schema": {"enabled": True}} for _ in wanted])
            elif answer.get("id") == self.count:
                return answer.get("result")


@contextmanager
def server(folder):
    with subprocess.Popen(
        [SCRIPTS / "olpat", "lsp", "stdio"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=folder,
    ) as process:
        try:
            yield Server(process)
        finally:
            process.kill()


@contextmanager
def editor(folder):
    """Give `at(file, text, method) -> answer` of a language server, asked at the `|` in the text of a file."""
    with server(folder) as running:
        uri = folder.as_uri()
        running.ask(
            "initialize", processId=None, rootUri=uri, workspaceFolders=[{"uri": uri, "name": "site"}],
            capabilities={"workspace": {"configuration": True}}, initializationOptions={"configurationSection": "x"},
        )  # fmt: skip
        running.send(method="initialized", params={})

        def at(file, text, method):
            before = text.partition("|")[0]
            document = {"uri": file.as_uri()}
            shown = {**document, "languageId": "toml", "version": 1, "text": text.replace("|", "")}
            running.send(method="textDocument/didOpen", params={"textDocument": shown})
            position = {"line": before.count("\n"), "character": len(before) - before.rfind("\n") - 1}
            return running.ask(method, textDocument=document, position=position)

        yield at


@pytest.fixture(scope="module")
def ask(schema):
    """Return `ask(rule, method) -> answer` for a rule in a file that names the schema."""
    head = f"#:schema ./{schema.name}\nschema = 1\n[elements]\n"
    schema.with_name(".taplo.toml").write_text('include = ["*.toml"]\n')  # the settings of no folder above
    with editor(schema.parent) as at:
        yield lambda rule, method: at(schema.with_name(f"{hash(rule)}.toml"), f"{head}{rule}\n", method)


def labels(answer):
    items = answer if isinstance(answer, list) else (answer or {}).get("items", [])
    return {item["label"] for item in items}


def test_keywords_are_completed(ask):
    found = labels(ask("Pat|", "textDocument/completion"))
    assert {"PatientName", "PatientID", "DerivationCodeSequence"} <= found
    assert len(found) > 4000


def test_kinds_of_rules_and_their_options_are_completed_those_of_plugins_too(ask):
    found = labels(ask("PatientName = { | }", "textDocument/completion"))
    assert {"static", "copy-or-else", "when-varying", "only-if", "vr", "hash-id", "unmatched"} <= found


def test_values_are_completed(ask):
    assert '"copy-instance"' in labels(ask('PatientName = "|"', "textDocument/completion"))
    assert {'"optional"', '"usable"'} <= labels(
        ask('PatientName = { copy = "|" }', "textDocument/completion")
    )


def test_hovering_explains(ask):
    answer = str(ask('PatientName = { co|py = "usable" }', "textDocument/hover"))
    assert "value, the same in all its instances" in answer
    assert "VR PN" in str(ask('Patient|Name = "copy"', "textDocument/hover"))


def test_shipped_blueprints_are_completed_in_a_checkout():
    file = next(path for path in SHIPPED if path.name == "mr-image.toml")
    text = file.read_text(encoding="utf-8")
    assert "[elements]" in text
    with editor(ROOT) as at:
        at_keyword = text.replace("[elements]", "[elements]\nPatient|", 1)
        found = labels(at(file, at_keyword, "textDocument/completion"))
        assert {"PatientName", "PatientSize"} <= found
        at_copy = text.replace("[elements]", '[elements]\nPatientComments = { copy = "|" }', 1)
        assert {'"optional"', '"usable"'} <= labels(at(file, at_copy, "textDocument/completion"))
