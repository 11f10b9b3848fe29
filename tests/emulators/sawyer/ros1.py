"""Rethink's SDK with a ROS 1 master and a node in the robot's place.

INTERA_SDK is a folder with clones of intera_sdk and intera_common, SAWYER_PYTHON the
Python of ROS 1.
"""

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from tiltbot_ros.arms.sawyer.process import ROS1_FOLDER, side_environment
from tiltbot_ros.arms.sawyer.settings import SawyerSettings

INTERA_SDK = os.environ.get("INTERA_SDK", "")
PYTHON = os.environ.get("SAWYER_PYTHON", "/usr/bin/python3")
ROBOT = Path(__file__).parent / "ros1_robot.py"


@contextlib.contextmanager
def process(
    command: Sequence[str], environment: Mapping[str, str], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process to the end of the block."""
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


def until(condition: Callable[[], object], what: str, timeout_s: float = 30.0) -> None:
    """Wait for a condition."""
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, f"expected {what} within {timeout_s} s"
        time.sleep(0.02)


def make_messages(out: Path) -> None:
    """Write the Python of intera_common's messages."""
    make = ROS1_FOLDER / "make_messages.py"
    subprocess.run([PYTHON, make, Path(INTERA_SDK) / "intera_common", out], check=True)


@contextlib.contextmanager
def master(folder: Path) -> Iterator[str]:
    """Run a ROS 1 master; give its URI."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = side_environment(SawyerSettings(), os.environ) | {"ROS_LOG_DIR": str(folder)}
    start = "import rosmaster; rosmaster.rosmaster_main()"
    command = [PYTHON, "-c", start, "--core", "-p", str(port)]

    def answers() -> bool:
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", port)) == 0

    with process(command, environment, folder / "master.log"):
        until(answers, "a ROS 1 master")
        yield f"http://127.0.0.1:{port}"


def sdk_settings(messages: Path, uri: str) -> SawyerSettings:
    """Return the settings of a driver on Rethink's SDK."""
    return SawyerSettings(
        python=PYTHON,
        pythonpath=[f"{INTERA_SDK}/intera_sdk/intera_interface/src", str(messages)],
        master_uri=uri,
        ros_ip="127.0.0.1",
    )


@contextlib.contextmanager
def ros1_robot(settings: SawyerSettings, bus: Path, log: Path) -> Iterator[None]:
    """Run the node that stands in the robot's place, in front of an emulated robot."""
    with process([PYTHON, str(ROBOT), str(bus)], side_environment(settings, os.environ), log):
        yield
