"""The pages in a browser, with and without JavaScript."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile

import pytest

from workbench.judges import absent

NO_SCRIPTS = '{"profile": {"default_content_setting_values": {"javascript": 2}}}'


@pytest.fixture(params=["scripts", "no-scripts"])
def browse(request, tmp_path):
    """Yield `browse(url, *options) -> standard output` of a browser without a window, with and without JavaScript."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        absent("chromium", "apt-get install chromium")
    settings = tmp_path / "profile" / "Default" / "Preferences"
    settings.parent.mkdir(parents=True)
    settings.write_text(NO_SCRIPTS if request.param == "no-scripts" else "{}")

    def call(url, *options):
        common = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}/profile"]
        command = [program, *common, *options, url]
        done = subprocess.run(command, capture_output=True, timeout=120, check=False, env=short)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    with tempfile.TemporaryDirectory(dir="/tmp") as folder:  # its socket has a path of at most 107 bytes
        short = {**os.environ, "TMPDIR": folder}
        yield call


def test_the_setting_for_scripts_is_heeded(browse, tmp_path, request):
    (tmp_path / "page.html").write_text("<title>no</title><script>document.title = 'yes'</script>")
    scripts = "no-scripts" not in request.node.name
    assert f"<title>{'yes' if scripts else 'no'}</title>" in browse(
        f"file://{tmp_path}/page.html", "--dump-dom"
    )


def test_a_browser_shows_the_pages_and_runs_no_script_of_others(site, browse, tmp_path):
    picture = tmp_path / "job.png"
    url = f"http://127.0.0.1:{site.port}/jobs/2"
    page = browse(url, "--dump-dom")
    assert "<title>Job 2 · dicomwright node</title>" in page
    assert "What went wrong" in page
    browse(url, f"--screenshot={picture}", "--window-size=900,700")
    data = picture.read_bytes()
    assert data[:4] == b"\x89PNG"
    assert int.from_bytes(data[16:20], "big") == 900
    assert len(data) > 20_000  # a page without its style and its texts has less
