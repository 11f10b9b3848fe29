import sys

import pytest

from tests.emulators.sawyer.bus import SDK, RobotOnABus
from tiltbot_ros.arms.sawyer.settings import SawyerSettings


@pytest.fixture
def bus(tmp_path, monkeypatch):
    """A robot on its network, which the emulated SDK finds."""
    with RobotOnABus(tmp_path) as running:
        monkeypatch.setenv("EMULATED_SAWYER", str(running.path))
        yield running


@pytest.fixture
def settings():
    return SawyerSettings(python=sys.executable, pythonpath=[str(SDK)], start_s=20.0)
