"""What every test of the graph needs: a ROS 2 world of its own."""

import itertools
import os

import pytest

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
