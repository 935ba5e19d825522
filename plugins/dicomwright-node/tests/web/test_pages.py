"""What the pages show, what they hide, and whom they answer."""

from __future__ import annotations

import re
import struct
import threading
import zlib

import numpy as np
import pytest
from click.testing import CliRunner
from pydicom import Dataset

from dicomwright_node.cli.group import node
from dicomwright_node.web.thumbnail import _windowed, png, render

PATHS = [
    "/",
    "/?state=failed",
    "/?before=3",
    "/unwanted",
    "/jobs/1",
    "/jobs/2",
    "/jobs/3",
    "/jobs/4",
    "/jobs/1?tags",
]


def decoded(data):
    """Return the pixels of a PNG of ours."""
    width, height, depth, colour = struct.unpack(">IIBB", data[16:26])
    assert (data[:8], depth) == (b"\x89PNG\r\n\x1a\n", 8)
    samples = 3 if colour == 2 else 1
    lines = zlib.decompress(data[data.index(b"IDAT") + 4 :])
    rows = np.frombuffer(lines, np.uint8).reshape(height, 1 + width * samples)
    assert not rows[:, 0].any()
    return rows[:, 1:].reshape(height, width, samples)


def test_the_list_of_jobs(site):
    page = site.text("/")
    assert re.findall(r'class="chip ([a-z-]+)"', page) == ["collecting", "timed-out", "failed", "done"]
    assert "took 1.5 s" in page
    assert "ct has 1 images" in page
    assert "1 instance</a> did not fit any job" in page
    assert page.count("<button>Retry</button>") == 2
    assert 'src="/jobs/1/outputs/1.png"' in page
    assert 'src="/jobs/2/inputs/0.png"' in page


def test_jobs_of_one_state_and_older_ones(site):
    assert re.findall(r'<td class="number"><a href="/jobs/(\d)"', site.text("/?state=failed")) == ["2"]
    assert re.findall(r'<td class="number"><a href="/jobs/(\d)"', site.text("/?before=3")) == ["2", "1"]
    for nonsense in ("state=nonsense&before=x", "state=%3Cscript%3E&before=-1", "before=" + 30 * "9"):
        assert site.text(f"/?{nonsense}").count('class="thumb"') == 4


def test_one_job(site):
    page = site.text("/jobs/1")
    for part in (
        "dicom://PACS@127.0.0.1:104",
        "3 files",
        "64 MiB",
        "PixelSpacing",
        "Thorax &amp; &lt;b&gt;more",
    ):
        assert part in page
    assert re.findall(r'class="chip ([a-z-]+)"', page)[-4:] == ["running", "processed", "delivering", "done"]
    assert "<details >" in page
    assert "<details open>" in site.text("/jobs/1?tags")


def test_a_failed_job_shows_its_traceback(site):
    page = site.text("/jobs/2")
    assert "Traceback:\n  in process" in page
    assert r"\x07\u202e" in page


@pytest.mark.parametrize("path", PATHS)
def test_nothing_that_came_from_outside_is_markup(site, path):
    page = site.text(path)
    assert "<script" not in page
    assert "<b>more" not in page
    assert "\x07" not in page
    assert "\u202e" not in page
    assert not re.search(r"<[^>]*onmouseover", page)
    assert "<style" not in page
    assert " style=" not in page


@pytest.mark.parametrize("path", PATHS)
def test_patient_data_is_hidden_unless_it_is_asked_for(site, path):
    page = site.text(path)
    assert "HUSH-4711" not in page
    assert "Doe" not in page


def test_a_destination_says_nothing_of_the_patient(make_site):
    site = make_site()
    with site.store.database.transaction() as write:
        place = "file:///results/HUSH-4711/jane%20doe.txt"
        write.execute("UPDATE deliveries SET destination = ? WHERE job_id = 1", (place,))
    page = site.text("/jobs/1")
    assert "file:///results/[patient]/[patient] [patient].txt" in page
    assert "HUSH" not in page


def test_patient_data_is_shown_if_it_is_asked_for(make_site):
    site = make_site(show_phi=True)
    assert "HUSH-4711" in site.text("/")
    assert "Doe^Jane" in site.text("/jobs/1")
    assert "patient data is shown" in site.text("/jobs/1")


def test_pictures(site):
    for path in ("/jobs/1/outputs/1.png", "/jobs/2/inputs/0.png"):
        status, headers, data = site.ask(path)
        assert (status, headers["content-type"]) == (200, "image/png")
        assert decoded(data).std() > 0
    status, _, data = site.ask("/jobs/1/outputs/1.png")
    assert decoded(data).shape == (120, 160, 1)  # 6 rows of 1 mm, 4 columns of 2 mm
    for path in ("/jobs/1/outputs/9.png", "/jobs/9/outputs/1.png", "/jobs/1/inputs/1.png"):
        assert site.ask(path)[0] == 404


def test_pictures_that_may_have_text_in_them_are_not_shown(make_series, write_series, tmp_path):
    (path,) = write_series(make_series(shape=(1, 6, 4), elements={"BurnedInAnnotation": "YES"}), tmp_path)
    assert render([str(path)]) == b""
    assert render([str(path)], with_text=True)


def test_the_window_of_the_header(make_series, write_series, tmp_path):
    datasets = make_series(
        shape=(1, 8, 8), spacing=(1, 1, 1), elements={"WindowCenter": 1e6, "WindowWidth": 2}
    )
    (path,) = write_series(datasets, tmp_path)
    assert decoded(render([str(path)])).max() == 0


def test_a_picture_with_a_palette(make_series, write_series, tmp_path):
    (dataset,) = make_series(shape=(1, 4, 4), spacing=(1, 1, 1))
    dataset.PhotometricInterpretation, dataset.PixelRepresentation = "PALETTE COLOR", 0
    dataset.PixelData = np.arange(16, dtype="<u2").tobytes()
    for colour, step in (("Red", 16), ("Green", 1), ("Blue", 0)):
        setattr(dataset, f"{colour}PaletteColorLookupTableDescriptor", [16, 0, 16])
        table = (np.arange(16) * step * 257).astype("<u2")
        setattr(dataset, f"{colour}PaletteColorLookupTableData", table.tobytes())
    (path,) = write_series([dataset], tmp_path)
    red, green, blue = np.moveaxis(decoded(render([str(path)])), 2, 0)
    assert (red.max(), green.max(), blue.max()) == (255, 15, 0)


def test_values_that_are_no_numbers_hide_none_of_the_others():
    values = np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8)
    values[0, 0] = np.nan
    picture = _windowed(values, Dataset())
    assert picture.min() == 0
    assert picture.max() == 255
    assert not _windowed(np.full((2, 2), np.nan), Dataset()).any()


def test_colour_pictures():
    pixels = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    assert np.array_equal(decoded(png(pixels)), pixels)


def test_what_browsers_may_do_with_a_page(site):
    _, headers, _ = site.ask("/")
    assert headers["content-security-policy"].startswith(
        "default-src 'none'; style-src 'self'; img-src 'self'"
    )
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert "set-cookie" not in headers


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:80", 200),
        ("localhost", 200),
        ("[::1]:80", 200),
        ("evil.example", 403),
        ("", 403),
        ("[", 403),
    ],
)
def test_a_name_that_is_not_ours_is_refused(site, host, status):
    assert site.ask("/", Host=host)[0] == status


def token_of(site, job):
    return re.search(
        rf'action="/jobs/{job}/retry"><input type="hidden" name="token" value="(\w+)"', site.text("/")
    )[1]


@pytest.mark.parametrize(
    ("token", "headers"),
    [
        (None, {}),
        ("0" * 64, {}),
        ("other", {}),
        ("right", {"Origin": "http://evil.example"}),
        ("right", {"Origin": "null"}),
        ("right", {"Origin": "http://["}),
        ("right", {"Sec_Fetch_Site": "cross-site"}),
    ],
)
def test_forms_of_others_are_refused(site, token, headers):
    form = {"other": {"token": token_of(site, 3)}, "right": {"token": token_of(site, 2)}, None: {}}
    answer = site.ask("/jobs/2/retry", "POST", form.get(token, {"token": token}), **headers)
    assert answer[0] == 403
    assert site.text("/?state=failed").count("/jobs/2/retry") == 1
    assert site.ask("/jobs/2/retry")[0] == 405


def test_a_form_of_ours_lets_a_job_begin_again(make_site):
    site = make_site()
    form = {"token": token_of(site, 2)}
    host = f"127.0.0.1:{site.port}"
    status, headers, _ = site.ask(
        "/jobs/2/retry", "POST", form, Origin=f"http://{host}", Sec_Fetch_Site="same-origin"
    )
    assert (status, headers["location"], site.woken) == (303, "/jobs/2", 1)
    assert 'class="chip ready"' in site.text("/jobs/2")
    status, _, body = site.ask("/jobs/2/retry", "POST", form)
    assert status == 409
    assert b"job 2 is ready; only a failed or timed-out job can be tried again" in body
    long = {"token": form["token"], "more": "x" * 5000}
    assert site.ask("/jobs/2/retry", "POST", long)[0] == 403


def test_the_list_says_why_a_delivery_is_put_off(make_site):
    site = make_site()
    with site.store.database.transaction() as write:
        write.execute("UPDATE jobs SET state = 'delivering' WHERE id = 1")
        write.execute("UPDATE deliveries SET state = 'pending', message = '<no answer>' WHERE job_id = 1")
    assert "will be sent again: &lt;no answer&gt;" in site.text("/")
    listed = CliRunner().invoke(node, ["jobs", "--folder", str(site.store.files.root)])
    assert listed.output.splitlines()[-1].endswith("ct 3  <no answer>")


def test_other_machines_see_health_and_figures_only(site):
    from starlette.requests import Request

    from dicomwright_node.web.guard import Guard
    from dicomwright_node.web.settings import WebSection

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "client": ("192.0.2.9", 1),
        "headers": [(b"host", b"192.0.2.1")],
    }
    assert "this machine only" in Guard(WebSection(), "0.0.0.0")._refusal(Request(scope))
    assert Guard(WebSection(remote=True), "0.0.0.0")._refusal(Request(scope)) == ""
    assert site.ask("/metrics", Host="anything")[0] == 200


def test_health_and_figures(site):
    assert site.ask("/health/live")[0] == 200
    assert site.ask("/health/ready")[0] == 200
    figures = site.text("/metrics")
    for line in (
        'dicomwright_node_jobs{state="failed"} 1',
        'dicomwright_node_jobs{state="running"} 0',
        'dicomwright_node_instances{state="unwanted"} 1',
        'dicomwright_node_deliveries{state="sent"} 1',
        "dicomwright_node_job_seconds_sum 1.5",
        "dicomwright_node_healthy 1",
    ):
        assert f"\n{line}\n" in figures
    assert "HUSH" not in figures
    for line in figures.splitlines():
        assert re.fullmatch(
            r'# (HELP|TYPE) .+|dicomwright_node_\w+(\{(state|answer)="[a-z-]+"\})? [0-9.e+]+', line
        ), line
    site.scheduler.healthy = False
    try:
        status, _, body = site.ask("/health/ready")
        assert (status, b'"scheduler":false' in body) == (503, True)
    finally:
        site.scheduler.healthy = True


def test_a_form_that_does_not_come_is_not_waited_for(site, monkeypatch):
    monkeypatch.setattr("dicomwright_node.web.guard._FORM_SECONDS", 0.1)
    status, _, text = site.ask("/jobs/2/retry", "POST", Content_Length="10")
    assert (status, text) == (403, b"the form did not come in time\n")


def test_what_is_not_there(site):
    assert site.ask("/jobs/99")[0] == 404
    assert site.ask("/jobs/x")[0] == 404
    assert site.ask(f"/jobs/{2**63}")[0] == 404


def test_pages_can_be_switched_off(make_site):
    site = make_site(enabled=False)
    assert site.ask("/")[0] == 404
    assert site.ask("/health/live")[0] == 200


def test_slow_pictures_do_not_hold_up_health(make_site, monkeypatch):
    from dicomwright_node.web import pages

    begun, end = threading.Event(), threading.Event()

    def slow(*_):
        begun.set()
        end.wait(30)
        return b""

    monkeypatch.setattr(pages.ProcessExecutor, "run", lambda *_, **__: slow())
    site = make_site()
    asked = [threading.Thread(target=site.ask, args=("/jobs/2/inputs/0.png",)) for _ in range(60)]
    for one in asked:
        one.start()
    try:
        assert begun.wait(10)
        assert site.ask("/health/live")[0] == 200
        assert site.ask("/health/ready")[0] == 200
        assert site.ask("/")[0] == 200
    finally:
        end.set()
        for one in asked:
            one.join(30)
