"""What is not installed, not there, or not what it should be, is named."""

import os

import pytest

from tiltbot_ros.arms.sawyer.driver import SawyerArm
from tiltbot_ros.arms.sawyer.process import side_environment
from tiltbot_ros.arms.sawyer.settings import SawyerSettings
from tiltbot_ros.errors import DeviceError, MissingDependencyError

pytestmark = pytest.mark.realtime


def missing(folder, *modules):
    """A folder of modules that cannot be imported, as on a machine without them."""
    for module in modules:
        (folder / f"{module}.py").write_text(f"raise ImportError(\"No module named '{module}'\")\n")
    return str(folder)


@pytest.mark.parametrize(
    ("module", "words"),
    [
        ("rospy", "expected the Python of ROS 1.*python3-rospy.*sawyer.pythonpath"),
        ("intera_interface", "expected Rethink's SDK.*RethinkRobotics/intera_sdk"),
    ],
)
def test_what_is_missing_is_named(bus, settings, tmp_path, module, words):
    folder = tmp_path / "without"
    folder.mkdir()
    path = [missing(folder, module), *settings.pythonpath]
    arm = SawyerArm(settings.model_copy(update={"pythonpath": path}))
    with pytest.raises(MissingDependencyError, match=words):
        arm.connect()


def test_missing_messages_are_told_apart_from_a_missing_sdk(bus, settings, tmp_path):
    folder = tmp_path / "without"
    (folder / "intera_interface").mkdir(parents=True)
    (folder / "intera_interface" / "__init__.py").write_text("import intera_core_msgs\n")
    path = [missing(folder, "intera_core_msgs"), *settings.pythonpath]
    arm = SawyerArm(settings.model_copy(update={"pythonpath": path}))
    with pytest.raises(MissingDependencyError, match=r"messages of intera_common.*make_messages"):
        arm.connect()


def test_a_side_process_that_breaks_gives_its_last_words(bus, settings, tmp_path):
    (tmp_path / "intera_interface.py").write_text("class RobotEnable: pass\n")
    path = [str(tmp_path), *settings.pythonpath]
    arm = SawyerArm(settings.model_copy(update={"pythonpath": path}))
    with pytest.raises(DeviceError, match=r"the side process broke: TypeError"):
        arm.connect()


def test_a_python_that_is_not_there_is_named(settings):
    arm = SawyerArm(settings.model_copy(update={"python": "/opt/none/python3"}))
    with pytest.raises(MissingDependencyError, match=r"/opt/none/python3.*set sawyer.python"):
        arm.connect()


def test_a_robot_that_is_not_there_is_told(settings, monkeypatch, tmp_path):
    monkeypatch.setenv("EMULATED_SAWYER", str(tmp_path / "none"))
    uri = "http://nowhere.local:11311"
    arm = SawyerArm(settings.model_copy(update={"master_uri": uri}))
    with pytest.raises(DeviceError, match=f"no ROS master at '{uri}'.*sawyer.master_uri"):
        arm.connect()


def test_a_limb_the_robot_does_not_have_is_told(bus, settings):
    arm = SawyerArm(settings.model_copy(update={"limb": "left"}))
    with pytest.raises(DeviceError, match="no parameters of a limb 'left'"):
        arm.connect()


def test_nothing_of_ros_2_reaches_ros_1(monkeypatch):
    inherited = {
        "PATH": "/bin",
        "HOME": "/root",
        "PYTHONPATH": "/ros2",
        "AMENT_PREFIX_PATH": "/ros2",
        "LD_LIBRARY_PATH": "/ros2/lib",
        "_ROS_WHEELS_BOOTSTRAP_COMPLETE": "1",
    }
    settings = SawyerSettings(pythonpath=["~/ws"], master_uri="http://r:11311", ros_ip="10.0.0.2")
    environment = side_environment(settings, inherited)
    assert "/ros2" not in "".join(environment.values())
    assert "_ROS_WHEELS_BOOTSTRAP_COMPLETE" not in environment
    assert environment["PYTHONPATH"].endswith(f":{os.path.expanduser('~/ws')}")  # noqa: PTH111
    assert environment["ROS_MASTER_URI"] == "http://r:11311"
    assert environment["ROS_IP"] == "10.0.0.2"
    assert environment["PATH"] == "/bin"
