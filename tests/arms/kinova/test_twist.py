"""Velocities that always end in zero, and poses followed by them."""

import numpy as np
import pytest

from tests.arms.kinova.near import NearLink
from tests.emulators.kortex.robot import KortexRobot
from tiltbot_ros.arms.kinova.settings import KinovaSettings
from tiltbot_ros.arms.kinova.twist import KinovaTwistArm
from tiltbot_ros.arms.kinova.twist_watchdog import TwistWatchdog
from tiltbot_ros.arms.pose_by_joints import tool_model
from tiltbot_ros.arms.poses import moved, pose_vector
from tiltbot_ros.arms.tool_settings import ToolSettings
from tiltbot_ros.errors import DeviceError

FORWARD = np.array([0.1, 0.0, 0.0, 0.0, 0.0, 0.2])


def test_silence_is_followed_by_zeros_and_then_by_nothing():
    watchdog = TwistWatchdog(0.15, zeros=4)
    assert watchdog.due(0.0) is None
    np.testing.assert_array_equal(watchdog.hear(FORWARD, 1.0), FORWARD)
    assert watchdog.due(1.1) is None
    zeros = [watchdog.due(1.2 + 0.01 * i) for i in range(6)]
    assert [zero is not None for zero in zeros] == [True] * 4 + [False] * 2
    assert not np.any(zeros[0])
    assert watchdog.stops == 1


def test_a_zero_that_is_told_is_repeated_since_one_may_be_lost():
    watchdog = TwistWatchdog(0.15, zeros=3)
    watchdog.hear(FORWARD, 1.0)
    watchdog.hear(np.zeros(6), 1.02)
    assert sum(watchdog.due(1.03 + 0.01 * i) is not None for i in range(9)) == 3
    assert watchdog.stops == 0


@pytest.mark.parametrize("bad", [np.full(6, np.nan), np.full(6, np.inf), np.zeros(5)])
def test_what_is_no_velocity_is_zero(bad):
    watchdog = TwistWatchdog(0.15)
    watchdog.hear(FORWARD, 1.0)
    assert not watchdog.hear(bad, 1.01).any()
    assert watchdog.due(1.02) is not None


@pytest.fixture
def arm():
    link = NearLink(KortexRobot("twist"))
    tool = ToolSettings(site="end_effector_link")  # the robot's own tool
    made = KinovaTwistArm(
        KinovaSettings(mode="twist"),
        link,
        tool_model(tool, robot="gen3", joints=KinovaTwistArm.joint_names),
        rate_hz=50.0,
        clock=link.ros_ns,
        monotonic=lambda: link.now_s,
    )
    link.pass_time(0.05)
    made.connect()
    return made, link


def test_the_tool_follows_a_pose_that_moves_and_turns(arm):
    arm, link = arm
    pose = pose_vector(arm.state().tool)
    step = np.array([0.001, 0.0005, -0.0005, 0.0, 0.002, 0.004])
    for _ in range(50):
        pose = moved(pose, step)
        arm.stream_pose(pose, step * 50.0)
        link.pass_time(0.02)
        arm.state()
    for _ in range(100):
        arm.stream_pose(pose, np.zeros(6))
        link.pass_time(0.02)
        arm.state()
    np.testing.assert_allclose(pose_vector(arm.state().tool), pose, atol=4e-3)
    assert link.robot.fault == ""


def test_velocities_are_cut_and_never_unsound(arm):
    arm, link = arm
    pose = pose_vector(arm.state().tool)
    arm.stream_pose(pose + np.array([1.0, 0, 0, 0, 0, 1.5]), np.zeros(6))
    link.pass_time(0.01)
    assert np.linalg.norm(link.robot.twist[:3]) == pytest.approx(0.2)
    assert np.deg2rad(np.linalg.norm(link.robot.twist[3:])) == pytest.approx(0.6)
    with pytest.raises(DeviceError, match="finite"):
        arm.stream_pose(np.full(6, np.nan), np.zeros(6))


def test_stopping_and_closing_send_zero(arm):
    arm, link = arm
    pose = pose_vector(arm.state().tool)
    for end in (arm.stop, arm.close):
        arm.stream_pose(pose, np.array([0.1, 0, 0, 0, 0, 0]))
        link.pass_time(0.01)
        assert link.robot.twist.any()
        end()
        link.pass_time(0.01)
        assert not link.robot.twist.any()


def test_a_driver_that_was_silent_says_so_and_joints_are_refused(arm):
    arm, link = arm
    pose = pose_vector(arm.state().tool)
    arm.stream_pose(pose, np.array([0.1, 0, 0, 0, 0, 0]))
    link.pass_time(0.3)
    assert arm.state().interruptions == 1
    with pytest.raises(DeviceError, match=r"set kinova\.mode to 'trajectory'"):
        arm.stream_joints(np.zeros(7), np.zeros(7))
