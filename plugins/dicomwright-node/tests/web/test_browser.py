"""The pages in a browser, with and without JavaScript."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from workbench.judges import absent


@pytest.fixture
def browse(tmp_path):
    """Return `browse(url, *options) -> standard output` of a browser without a window."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        absent("chromium", "apt-get install chromium")

    def call(url, *options):
        common = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            f"--user-data-dir={tmp_path}/profile",
        ]
        done = subprocess.run([program, *common, *options, url], capture_output=True, timeout=120, check=True)
        return done.stdout.decode()

    return call


def test_no_script_of_others_runs(site, browse):
    page = browse(f"http://127.0.0.1:{site.port}/jobs/2", "--dump-dom")
    assert "<title>Job 2 · dicomwright node</title>" in page
    assert "What went wrong" in page


@pytest.mark.parametrize(
    "options", [[], ["--blink-settings=scriptEnabled=false"]], ids=["scripts", "no-scripts"]
)
def test_a_browser_shows_the_pages(site, browse, tmp_path, options):
    picture = tmp_path / "jobs.png"
    browse(f"http://127.0.0.1:{site.port}/", f"--screenshot={picture}", "--window-size=900,700", *options)
    data = picture.read_bytes()
    assert data[:4] == b"\x89PNG"
    assert int.from_bytes(data[16:20], "big") == 900
    assert len(data) > 15_000  # more than a white page
