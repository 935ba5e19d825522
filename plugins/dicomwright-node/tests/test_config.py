"""node.toml: typed, all problems at once, nothing unknown."""

from __future__ import annotations

from pathlib import Path

import pytest

from dicomwright_node.config import ConfigError, NodeConfig, load


@pytest.fixture
def written(tmp_path):
    def write(text):
        file = tmp_path / "node.toml"
        file.write_text(text, encoding="utf-8")
        return file

    return write


def test_an_empty_file_is_all_defaults_and_loopback(written):
    config = load(written(""))
    assert config == NodeConfig()
    assert config.http.host == "127.0.0.1"
    assert config.dimse.host is None  # the pipeline's, or 127.0.0.1
    assert not config.logging.log_phi


def test_the_mark_that_windows_programs_begin_a_file_with_says_nothing(tmp_path):
    file = tmp_path / "node.toml"
    file.write_bytes(b"\xef\xbb\xbf[dimse]\nport = 1104\n")
    assert load(file).dimse.port == 1104


def test_values_and_paths_beside_the_file(written, tmp_path):
    text = """
[node]
folder = "kept"
[dimse]
port = 0
calling_ae_titles = ["CT1", "MR 2"]
tls_certificate = "cert.pem"
tls_key = "/keys/key.pem"
[limits]
min_free = "2 GiB"
max_stored = 1000
[retention]
done_days = 1
"""
    config = load(written(text))
    assert config.node.folder == tmp_path / "kept"
    assert config.dimse.port == 0
    assert config.dimse.calling_ae_titles == ("CT1", "MR 2")
    assert config.dimse.tls_certificate == tmp_path / "cert.pem"
    assert config.dimse.tls_key == Path("/keys/key.pem")
    assert (config.limits.min_free, config.limits.max_stored) == (2 * 2**30, 1000)
    assert config.retention.done_days == 1.0


def test_all_problems_are_told_at_once(written):
    text = """
surprise = 1
[dimze]
[dimse]
prot = 104
port = 70000
calling_ae_titles = ["TOO LONG A TITLE FOR THIS"]
tls_key = "key.pem"
[limits]
max_instance = "2 gigabytes"
[logging]
log_phi = 1
"""
    with pytest.raises(ConfigError) as refused:
        load(written(text))
    told = {one.message: one.hint for one in refused.value.problems}
    assert told == {
        "[surprise] is unknown": "known: node, dimse, http, stow, limits, retention, jobs, delivery, web, logging",
        "[dimze] is unknown": "did you mean dimse?",
        "[dimse] prot is unknown": "did you mean port?",
        "[dimse] port is 70000": "it is a whole number from 0 to 65535",
        "[dimse] calling_ae_titles is ['TOO LONG A TITLE FOR THIS']": (
            "it is a list of AE titles: at most 16 printable characters, no backslash"
        ),
        "[limits] max_instance is '2 gigabytes'": (
            'it is a number of bytes, or a text such as "512MiB" or "2GiB"'
        ),
        "[logging] log_phi is 1": "it is true or false",
        "[dimse] has one of tls_certificate and tls_key": "give both, or none",
    }
    assert all(one.loc.endswith("node.toml") for one in refused.value.problems)


@pytest.mark.parametrize(
    "line",
    [
        "port = true",
        "port = -1",
        "port = 1.5",
        'port = "104"',
        "max_associations = 0",
        "max_pdu = 100",
        "idle_seconds = nan",
        "idle_seconds = inf",
        "idle_seconds = -1",
        "idle_seconds = 0",
        "request_seconds = 0",
        'host = ""',
        'host = "a b"',
        "called_ae_titles = 'NODE'",
        'called_ae_titles = [""]',
        'called_ae_titles = ["A\\\\B"]',
        'called_ae_titles = ["    "]',
        "called_ae_titles = [1]",
        'transfer_syntaxes = ["../x"]',
        'tls_certificate = ""',
        'tls_certificate = "a\\u0000"',
        'tls_certificate = "~nobody-has-this-name/a"',
    ],
)
def test_values_of_the_wrong_kind_are_refused(written, line):
    with pytest.raises(ConfigError) as refused:
        load(written(f"[dimse]\n{line}\n"))
    assert f"[dimse] {line.split(' =')[0]}" in refused.value.problems[0].message


@pytest.mark.parametrize("section", ["dimse", "http"])
@pytest.mark.parametrize(
    "mark",
    ["-----BEGIN ENCRYPTED PRIVATE KEY-----", "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED"],
)
def test_nobody_is_asked_for_a_pass_phrase(written, tmp_path, section, mark):
    (tmp_path / "key.pem").write_text(f"{mark}\n")
    with pytest.raises(ConfigError, match=rf"\[{section}\] tls_key has a pass phrase, and nobody is there"):
        load(written(f'[{section}]\ntls_certificate = "c.pem"\ntls_key = "key.pem"\n'))


def test_a_section_is_a_section(written):
    with pytest.raises(
        ConfigError, match=r"dimse is not a section; write \[dimse\] and its entries below it"
    ):
        load(written("dimse = 104"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"[dimse", "is not TOML"),
        (b"\xff\xfe", "is not TOML"),
        (b"a = " + b"[" * 5000, "is not TOML"),
        (b"#" * 300_000, "is longer than 262144 bytes"),
    ],
)
def test_what_is_no_configuration(tmp_path, text, message):
    file = tmp_path / "node.toml"
    file.write_bytes(text)
    with pytest.raises(ConfigError, match=message):
        load(file)


def test_a_file_that_is_absent(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path / "none.toml")
