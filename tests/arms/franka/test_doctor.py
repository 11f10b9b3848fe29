"""`tiltbot doctor` on a rig with a Franka: what it says before anything moves."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.arms.franka.conftest import PATIENT
from tiltbot_ros.arms.drivers import ArmSettings
from tiltbot_ros.arms.franka.settings import FrankaSettings
from tiltbot_ros.doctor import arm
from tiltbot_ros.doctor.findings import NEEDS, Needs
from tiltbot_ros.sensors.microphones import MicrophoneSettings

pytestmark = pytest.mark.realtime


@pytest.fixture
def needs(emulator, tmp_path):
    return Needs(
        rig="franka",
        simulated=False,
        microphones=MicrophoneSettings(),
        camera=None,
        out=tmp_path,
        disk_floor_bytes=0,
        arm=ArmSettings(driver="franka", rate_hz=30.0),
        franka=FrankaSettings(host=emulator.address, **PATIENT),
    )


def examined(needs):
    return {
        finding.name: finding
        for finding in arm.examine(NEEDS.validate_json(NEEDS.dump_json(needs)))
    }


def test_a_robot_that_is_ready_is_fit_and_has_not_moved(needs, emulator):
    before = emulator.status()
    found = examined(needs)
    assert [name for name, finding in found.items() if finding.status == "fail"] == []
    assert found["franky"].text.startswith("2.")
    assert "version 10" in found["controller"].text
    assert found["state"].text == "mode Idle, no errors"
    assert "within the limits; tool at 0.307, -0.000, 0.487" in found["joints"].text
    assert found["hand"].text == "fingers 40.0 of 80.0 mm apart"
    after = emulator.status()
    np.testing.assert_array_equal(after["q"], before["q"])
    assert "move" not in after["requests"]
    assert after["hand"]["requests"] == []


def test_the_state_that_hinders_is_told_with_what_to_do(needs, emulator):
    emulator.ask("press")
    found = examined(needs)
    assert found["state"].status == "fail"
    assert "release the emergency stop" in found["state"].advice
    emulator.ask("release")
    emulator.ask("reflex", reason="joint_reflex")
    found = examined(needs)
    assert "joint_reflex" in found["state"].text
    emulator.ask("place", q=[0, 0, 0, -0.10, 0, 1.5, 0])
    assert "fr3_joint4 at -0.100 rad" in examined(needs)["joints"].text


def test_a_robot_that_is_not_there_or_has_no_fci_is_told_apart(needs):
    gone = replace(needs, franka=needs.franka.model_copy(update={"host": "127.99.99.98"}))
    found = examined(gone)
    assert found["network"].status == "fail"
    assert "activate FCI" in found["network"].advice  # the loopback refuses
    assert "controller" not in found
    nowhere = replace(needs, franka=needs.franka.model_copy(update={"host": "fr3.invalid"}))
    assert "does not answer" in examined(nowhere)["network"].text


def test_a_wrong_version_hand_or_file_of_limits_is_told(needs, emulator):
    emulator.ask("set", version=9)
    found = examined(replace(needs, arm=needs.arm.model_copy(update={"limits": "fr4"})))
    assert "expected a robot" in found["limits"].text
    assert "version 10" in found["controller"].text
    emulator.ask("set", version=10)
    emulator.ask("hand", most_m=0.0)
    assert "home it" in examined(needs)["hand"].advice


def test_a_kernel_that_is_enforced_but_missing_fails(needs):
    if Path("/sys/kernel/realtime").exists():
        pytest.skip("has a real-time kernel")
    settings = needs.franka.model_copy(update={"realtime": "enforce"})
    found = examined(replace(needs, franka=settings))
    assert found["kernel"].status == "fail"
    assert found["controller"].status == "fail"
    assert examined(needs)["kernel"].status == "warn"
