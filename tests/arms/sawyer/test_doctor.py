"""`tiltbot doctor` on a rig with a Sawyer: what it says before anything moves."""

import sys
from dataclasses import replace

import pytest

from tiltbot_ros.doctor import arm
from tiltbot_ros.doctor.findings import NEEDS, Needs
from tiltbot_ros.rigs import load_rig

pytestmark = pytest.mark.realtime

RIG = load_rig("sawyer")


@pytest.fixture
def needs(settings, tmp_path):
    return Needs(
        rig="sawyer",
        simulated=False,
        microphones=RIG.microphones,
        camera=None,
        out=tmp_path,
        disk_floor_bytes=0,
        arm=RIG.arm,
        sawyer=settings,
        held=RIG.held,
        tilt=RIG.tilt,
        guard=RIG.guard,
        tool=RIG.tool,
    )


def examined(needs):
    return {
        finding.name: finding
        for finding in arm.examine(NEEDS.validate_json(NEEDS.dump_json(needs)))
    }


def test_a_robot_that_is_ready_is_fit_and_has_been_told_nothing(needs, bus):
    bus.robot.positions = [at + 0.1 for at in RIG.held.level_joints_rad]
    bus.robot.target = list(bus.robot.positions)
    found = examined(needs)
    assert [name for name, finding in found.items() if finding.status == "fail"] == []
    assert found["SDK"].text.startswith("5.3.0 on ROS 1")
    assert found["tilts"].text.startswith("all within reach")
    assert "Hz, the oldest" in found["joint states"].text
    assert found["state"].text == "enabled, no stop, no error"
    assert (
        found["joints"].status == found["level pose"].status == found["kinematics"].status == "ok"
    )
    assert bus.robot.commands == []


def test_what_hinders_is_told_with_what_to_do(needs, bus):
    bus.robot.press()
    bus.clock_offset_s = -10.0
    found = examined(replace(needs, sawyer=needs.sawyer.model_copy(update={"enable": True})))
    assert found["state"].status == "fail"
    assert "turn the button" in found["state"].text
    assert found["its clock"].status == "warn"
    assert found["enable"].status == "warn"
    assert "by the cuff" in found["level pose"].advice
    assert not bus.robot.enabled  # whatever the rig says, the doctor switches nothing on
    bus.robot.release()
    bus.robot.reset()
    bus.robot.positions[1] = 2.5
    found = examined(needs)
    assert "switched off" in found["state"].text
    assert "right_j1 at 2.500 rad" in found["joints"].text


def test_what_is_missing_or_does_not_fit_is_named(needs, tmp_path):
    (tmp_path / "rospy.py").write_text("raise ImportError(\"No module named 'rospy'\")\n")
    path = [str(tmp_path), *needs.sawyer.pythonpath]
    found = examined(replace(needs, sawyer=needs.sawyer.model_copy(update={"pythonpath": path})))
    assert "python3-rospy" in found["side process"].text
    nowhere = needs.sawyer.model_copy(update={"python": "/opt/none/python3"})
    fast = needs.tilt.model_copy(update={"ramp_s": 0.2})
    site = needs.tool.model_copy(update={"site": "pencil"})
    found = examined(replace(needs, sawyer=nowhere, tilt=fast, tool=site))
    assert "/opt/none/python3" in found["side process"].text
    assert "set tilt.ramp_s" in found["tilts"].text
    assert "expected tool.site" in found["kinematics"].text
    lunar = needs.arm.model_copy(update={"limits": "lunar"})
    assert "expected a robot" in examined(replace(needs, arm=lunar))["limits"].text


def test_a_robot_that_falls_silent_fails(needs, bus):
    bus.silent = True
    patient = needs.sawyer.model_copy(update={"start_s": 2.0})
    if sys.executable != patient.python:
        pytest.skip("Rethink's SDK waits longer than a test should")
    assert examined(replace(needs, sawyer=patient))["robot"].status == "fail"
