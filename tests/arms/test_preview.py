"""Dry runs: what is above runs as it would, and the device is told nothing."""

import time
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from tests.arms.plain_arm import HOME, TOOL, PlainArm
from tiltbot_ros.arms import drivers
from tiltbot_ros.arms.drivers import open_tray
from tiltbot_ros.arms.limits import load_limits
from tiltbot_ros.arms.preview import PreviewArm
from tiltbot_ros.arms.preview_tray import PreviewTray
from tiltbot_ros.arms.tray import TrayReading
from tiltbot_ros.errors import DeviceError
from tiltbot_ros.rigs import load_rig


def test_the_state_follows_the_references_and_the_device_hears_none():
    arm = PlainArm()
    preview = PreviewArm(arm)
    preview.connect()
    preview.stream_joints(HOME + 0.1, np.ones(7))
    preview.stream_pose(TOOL + 0.01, np.zeros(6))
    preview.gripper.grasp(0.0, speed_m_s=0.1, force_n=1.0)
    preview.stop()
    state = preview.state()
    np.testing.assert_allclose(state.positions, HOME + 0.1)
    np.testing.assert_allclose(state.tool.position, TOOL[:3] + 0.01)
    assert preview.gripper.width_m == 0.0
    assert preview.references == 2
    assert dict(arm.told) == {"connect": 1}


def test_a_fault_of_the_device_shows_and_is_not_cleared():
    arm = PlainArm()
    arm.fault = "emergency stop"
    preview = PreviewArm(arm)
    assert preview.state().fault == "emergency stop"
    with pytest.raises(DeviceError, match="dry run"):
        preview.recover()
    assert arm.told["recover"] == 0


def test_a_device_that_stops_for_silence_is_no_interruption():
    arm = PlainArm()
    states = iter(range(100))
    real = arm.state
    arm.state = lambda: replace(real(), interruptions=next(states))
    preview = PreviewArm(arm)
    assert [preview.state().interruptions for _ in range(3)] == [0, 0, 0]


class CountingTray:
    fault = ""

    def __init__(self):
        self.told = Counter()

    def command(self, rotation):
        self.told["command"] += 1

    def read(self):
        zero = np.zeros(2)
        return TrayReading(
            stamp_ns=1,
            rotation=np.zeros(3),
            joint_names=("tray_x", "tray_y"),
            joint_positions=zero,
            joint_velocities=zero,
        )

    def recover(self):
        self.told["recover"] += 1

    def close(self):
        self.told["close"] += 1


def test_a_tray_shows_its_reference_and_hears_none():
    tray = CountingTray()
    preview = PreviewTray(tray)
    preview.command(np.array([0.1, -0.2]))
    np.testing.assert_allclose(preview.read().rotation, [0.1, -0.2, 0.0])
    preview.recover()
    preview.close()
    assert dict(tray.told) == {"close": 1}


@pytest.mark.realtime
def test_a_tray_in_an_arms_hand_tilts_without_a_single_reference(monkeypatch):
    rig = load_rig("sawyer")
    limits = load_limits("sawyer")
    arm = PlainArm(spaces=("joint",), gripper=False)
    arm.name, arm.joint_names = "sawyer", limits.joints.names
    arm.joints = np.array(rig.held.level_joints_rad) + 0.02
    monkeypatch.setattr(drivers, "make_arm", lambda *_, **__: arm)
    tray = open_tray(rig, clock=time.time_ns, dry_run=True)
    try:
        for tilt in np.linspace(0.0, 0.02, 20):
            tray.command(np.array([tilt, 0.0]))
            time.sleep(0.01)
        assert tray.read().rotation[0] > 0.005
    finally:
        tray.close()
    assert dict(arm.told) == {"connect": 1, "close": 1}
