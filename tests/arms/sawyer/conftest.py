"""Where the driver is tested: on an emulated SDK, and on the real one when there is one.

`INTERA_SDK=FOLDER ./run test-sawyer` gives the folder with clones of Rethink's
intera_sdk and intera_common; `SAWYER_PYTHON` is the Python of ROS 1.
"""

import contextlib
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.emulators.sawyer import ros1_robot_path
from tests.emulators.sawyer.bus import SDK, RobotOnABus
from tiltbot_ros.arms.sawyer.process import ROS1_FOLDER, side_environment
from tiltbot_ros.arms.sawyer.settings import SawyerSettings

INTERA_SDK = os.environ.get("INTERA_SDK", "")
PYTHON = os.environ.get("SAWYER_PYTHON", "/usr/bin/python3")
# A busy machine is no fault of the robot.
PATIENT = {"start_s": 30.0, "state_timeout_s": 1.0, "robot_timeout_s": 0.5}
STANDS = ["emulated", *(["intera_sdk"] if INTERA_SDK else [])]


@contextlib.contextmanager
def process(command, environment, log):
    with log.open("wb") as out:
        running = subprocess.Popen(command, env=environment, stdout=out, stderr=out)
    try:
        yield running
    finally:
        running.terminate()
        try:
            running.wait(5)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()


def until(condition, what, timeout_s=15.0):
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.02)


@pytest.fixture(scope="session")
def messages(tmp_path_factory):
    """The Python of intera_common's messages."""
    out = tmp_path_factory.mktemp("messages")
    make = ROS1_FOLDER / "make_messages.py"
    subprocess.run([PYTHON, make, Path(INTERA_SDK) / "intera_common", out], check=True)
    return out


@pytest.fixture(scope="session")
def master(tmp_path_factory):
    """A ROS 1 master; its URI."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tmp_path_factory.mktemp("master")
    environment = side_environment(SawyerSettings(), os.environ) | {"ROS_LOG_DIR": str(folder)}
    command = [PYTHON, "-m", "rosmaster.main", "--core", "-p", str(port)]
    if Path("/usr/bin/rosmaster").exists():
        command = [PYTHON, "/usr/bin/rosmaster", "--core", "-p", str(port)]
    with process(command, environment, folder / "out"):

        def answers():
            with socket.socket() as client:
                return client.connect_ex(("127.0.0.1", port)) == 0

        until(answers, "a ROS master")
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(params=STANDS)
def stand(request, tmp_path, monkeypatch):
    """A robot on its network, and the settings of a driver that finds it there."""
    with RobotOnABus(tmp_path) as bus:
        if request.param == "emulated":
            monkeypatch.setenv("EMULATED_SAWYER", str(bus.path))
            yield bus, SawyerSettings(python=sys.executable, pythonpath=[str(SDK)], **PATIENT)
            return
        monkeypatch.setenv("ROS_LOG_DIR", str(tmp_path))
        settings = SawyerSettings(
            python=PYTHON,
            pythonpath=[
                f"{INTERA_SDK}/intera_sdk/intera_interface/src",
                str(request.getfixturevalue("messages")),
            ],
            master_uri=request.getfixturevalue("master"),
            ros_ip="127.0.0.1",
            **PATIENT,
        )
        environment = side_environment(settings, os.environ)
        command = [PYTHON, str(ros1_robot_path()), str(bus.path)]
        with process(command, environment, tmp_path / "robot.log"):
            until(lambda: bus.clients, "the ROS 1 node of the robot")
            yield bus, settings


@pytest.fixture
def bus(stand):
    return stand[0]


@pytest.fixture
def settings(stand):
    return stand[1]
