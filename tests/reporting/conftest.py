import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "commands"))
sys.path.insert(0, str(Path(__file__).parent))

import report_data

from tiltbot_ros.reporting.report import make_report
from tiltbot_ros.reporting.settings import ReportSettings


@pytest.fixture(scope="session")
def data(tmp_path_factory) -> Path:
    """Return a folder with whole episodes, clean and flagged, one of them unreadable."""
    folder = tmp_path_factory.mktemp("whole") / "a data set"
    report_data.write_whole(folder)
    return folder


@pytest.fixture(scope="session")
def crowd(tmp_path_factory) -> Path:
    """Return a folder with 130 episodes that have facts alone."""
    folder = tmp_path_factory.mktemp("crowd")
    report_data.write_crowd(folder, 130)
    return folder


@pytest.fixture(scope="session")
def made(data, tmp_path_factory) -> Path:
    """Return the report of `data`, a page with files beside it."""
    out = tmp_path_factory.mktemp("made") / "report"
    settings = ReportSettings(gallery=4, chunk_episodes=1)
    return make_report(data, out, settings).page


@pytest.fixture
def visit(chromium):
    """Return a function that opens a page; what it must not do fails the test in the end."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    complaints = []

    def opened(page: Path, address: str = ""):
        tab = context.new_page()
        tab.set_default_timeout(20_000)
        tab.on("console", lambda m: m.type in ("error", "warning") and complaints.append(m.text))
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        tab.on("dialog", lambda dialog: complaints.append(dialog.message))
        tab.on(
            "request",
            lambda r: (
                r.url.startswith(("file:", "data:", "blob:")) or complaints.append(f"asked {r.url}")
            ),
        )
        tab.goto(f"{page.as_uri()}{address}")
        return tab

    opened.complaints = complaints
    yield opened
    context.close()
    assert complaints == []
