"""What every test of the graph needs: a ROS 2 world of its own."""

import itertools
import os
import shutil
import signal

import pytest

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]

# A shell that starts the tests in the background has them ignore Ctrl-C, and so would the
# processes that they interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

_DOMAINS = itertools.count()


@pytest.fixture
def ros_environment(tmp_path, monkeypatch):
    """Give a test its own domain on the loopback and a private ROS_HOME."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    # Domains up to 101 keep clear of the ephemeral ports on Linux.
    domain = 1 + (worker * 50 + next(_DOMAINS)) % 100
    values = {
        "ROS_DOMAIN_ID": str(domain),
        "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
        "ROS_HOME": str(tmp_path / "ros_home"),
        "ROS_LOG_DIR": str(tmp_path / "ros_log"),
        "OMP_NUM_THREADS": "1",
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return values


@pytest.fixture(scope="session")
def chromium():
    """Return a headless Chromium; a process can have one."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    from playwright.sync_api import sync_playwright  # noqa: PLC0415

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()
