"""Where the driver is tested: on an emulated SDK, and on Rethink's when there is one.

`INTERA_SDK=FOLDER ./run test-sawyer` gives the folder with clones of intera_sdk and
intera_common; `SAWYER_PYTHON` is the Python of ROS 1.
"""

import sys

import pytest

from tests.arms.sawyer.piloting import Pilot
from tests.emulators.sawyer import ros1
from tests.emulators.sawyer.bus import SDK, RobotOnABus
from tiltbot_ros.arms.sawyer.settings import SawyerSettings

# A busy machine is no fault of the robot.
PATIENT = {"start_s": 30.0, "state_timeout_s": 1.0, "robot_timeout_s": 0.5}
STANDS = ["emulated", *(["intera_sdk"] if ros1.INTERA_SDK else [])]


@pytest.fixture(scope="session")
def messages(tmp_path_factory):
    out = tmp_path_factory.mktemp("messages")
    ros1.make_messages(out)
    return out


@pytest.fixture(scope="session")
def master(tmp_path_factory):
    with ros1.master(tmp_path_factory.mktemp("master")) as uri:
        yield uri


@pytest.fixture(params=STANDS)
def stand(request, tmp_path, monkeypatch):
    """A robot on its network, and the settings of a driver that finds it there."""
    with RobotOnABus(tmp_path) as bus:
        if request.param == "emulated":
            monkeypatch.setenv("EMULATED_SAWYER", str(bus.path))
            yield bus, SawyerSettings(python=sys.executable, pythonpath=[str(SDK)], **PATIENT)
            return
        monkeypatch.setenv("ROS_LOG_DIR", str(tmp_path))
        messages, uri = request.getfixturevalue("messages"), request.getfixturevalue("master")
        settings = ros1.sdk_settings(messages, uri).model_copy(update=PATIENT)
        with ros1.ros1_robot(settings, bus.path, tmp_path / "robot.log"):
            ros1.until(lambda: bus.clients, "the ROS 1 node of the robot")
            yield bus, settings


@pytest.fixture
def bus(stand):
    return stand[0]


@pytest.fixture
def settings(stand):
    return stand[1]


@pytest.fixture
def pilot(bus, settings):
    made = Pilot(settings)
    yield made
    made.guarded.close()
