"""Poses over an arm that takes joints: limits, singularities, reach, faults."""

import numpy as np
import pytest

from tiltbot_ros.arms.commands import Command
from tiltbot_ros.arms.guard import GuardedArm, GuardSettings, rig_limits
from tiltbot_ros.arms.kinematic_arm import KinematicArm
from tiltbot_ros.arms.limits import load_limits
from tiltbot_ros.arms.pose_by_joints import PoseByJoints, tool_model
from tiltbot_ros.arms.poses import pose_vector
from tiltbot_ros.arms.robots import start_of
from tiltbot_ros.arms.tool_settings import ToolSettings
from tiltbot_ros.errors import ConfigError

LIMITS = load_limits("plain")
RATE_HZ = 50.0


class Recorded(KinematicArm):
    """Keeps what it was told; may be stuck, or stop by itself."""

    def __init__(self, clock):
        start = start_of(LIMITS)
        super().__init__(
            name="plain", joints=LIMITS.joints.names, start=start, rate_hz=RATE_HZ, clock=clock
        )
        self.told, self.stopped, self.stuck = [start], 0, False

    def stream_joints(self, position, velocity):
        self.told.append(position)
        if not self.stuck:
            super().stream_joints(position, velocity)

    def stop(self):
        self.stopped += 1
        super().stop()


class Flight:
    def __init__(self, **settings):
        self.now_s, self.n = 0.0, 0
        self.arm = Recorded(lambda: round(self.now_s * 1e9))
        self.tool = ToolSettings(**settings)
        wide = {"speed_ratio": 0.6, "largest_step_m": 2.0, "largest_step_rad": 3.0}
        self.guard = GuardSettings(**wide)
        self.limits = rig_limits(LIMITS, self.guard, "joint")
        model = tool_model(self.tool, robot="plain", joints=self.arm.joint_names)
        self.posed = PoseByJoints(
            self.arm, model, self.limits, self.tool, monotonic=lambda: self.now_s
        )
        self.guarded = GuardedArm(
            self.posed, LIMITS, self.guard, space="pose", measured=lambda s: pose_vector(s.tool)
        )
        self.guarded.connect()
        self.guarded.take("me", 0.0)
        self.start = self.guarded.stream.reference.position.copy()

    def go(self, pose, seconds):
        for _ in range(round(seconds * RATE_HZ)):
            self.now_s += 1.0 / RATE_HZ
            self.n += 1
            self.guarded.offer(
                Command(
                    commander="me",
                    sequence=self.n,
                    stamp_ns=round(self.now_s * 1e9),
                    position=np.asarray(pose, dtype=float),
                ),
                now_s=self.now_s,
                now_ns=round(self.now_s * 1e9),
            )
            self.guarded.tick(self.now_s)

    def check_limits(self):
        told = np.array(self.arm.told)
        speed = np.diff(told, axis=0) * RATE_HZ
        push = np.diff(speed, axis=0) * RATE_HZ
        assert (told >= self.limits.lower - 1e-9).all()
        assert (told <= self.limits.upper + 1e-9).all()
        assert (np.abs(speed) <= self.limits.velocity + 1e-9).all()
        assert (np.abs(push) <= self.limits.acceleration + 1e-6).all()


def test_the_tool_goes_where_it_is_told_and_the_joints_keep_their_limits():
    flight = Flight()
    target = flight.start + np.array([0.08, 0.1, -0.1, 0.3, -0.2, 0.6])
    flight.go(target, 4.0)
    np.testing.assert_allclose(pose_vector(flight.guarded.state.tool), target, atol=1e-4)
    flight.go(flight.start, 4.0)
    np.testing.assert_allclose(pose_vector(flight.guarded.state.tool), flight.start, atol=1e-4)
    assert flight.guarded.phase == "following"
    flight.check_limits()


def test_standing_at_a_pose_moves_no_joint():
    flight = Flight()
    flight.go(flight.start, 2.0)
    assert np.ptp(np.array(flight.arm.told), axis=0).max() < 1e-6


def test_a_pose_out_of_reach_is_told_and_never_a_jump():
    flight = Flight()
    far = np.array([0.7, 0.45, 0.6, 0.0, 0.0, 0.0])  # within the box, beyond the arm
    flight.go(far, 5.0)
    assert flight.guarded.phase == "fault"
    assert "cannot reach that pose" in flight.guarded.figures()["reason"] or (
        "near a singularity" in flight.guarded.figures()["reason"]
    )
    assert flight.arm.stopped >= 1
    flight.check_limits()
    flight.guarded.recover()
    assert flight.guarded.phase == "holding"
    flight.guarded.take("me", flight.now_s)  # refused commands have not kept the lease
    flight.arm.told = [flight.guarded.state.positions]
    there = pose_vector(flight.guarded.state.tool)
    back = there + 0.3 * (flight.start - there)
    flight.go(back, 3.0)
    np.testing.assert_allclose(pose_vector(flight.guarded.state.tool), back, atol=1e-3)
    flight.check_limits()


def test_through_a_singularity_the_joints_keep_their_limits():
    flight = Flight(miss_m=1.0, miss_rad=3.0)
    # The tool over the base: shoulder and wrist turn about one line.
    over = np.array([0.25, 0.0, 0.6, 0.0, 0.0, 0.0])
    flight.go(over, 3.0)
    flight.go(over + np.array([0.0, 0.45, 0.0, 0.0, 0.0, 1.5]), 3.0)
    flight.go(over + np.array([0.0, -0.45, 0.0, 0.9, 0.9, -1.5]), 4.0)
    assert flight.guarded.figures()["least singular value"] > 0.0
    flight.check_limits()


def test_a_joint_that_does_not_follow_is_named():
    flight = Flight(miss_s=0.2, miss_m=0.05, miss_rad=0.1)
    flight.arm.stuck = True
    flight.go(flight.start + np.array([0.1, 0.1, 0.0, 0.0, 0.0, 1.0]), 3.0)
    assert flight.guarded.phase == "fault"
    assert "does not follow" in flight.guarded.figures()["reason"]


def test_joints_may_be_told_in_between():
    flight = Flight()
    flight.go(flight.start, 0.2)
    joints = flight.arm.told[-1] + 0.02
    flight.posed.stream_joints(joints, np.zeros(7))
    flight.posed.state()
    flight.posed.stream_pose(pose_vector(flight.posed.state().tool), np.zeros(6))
    np.testing.assert_allclose(flight.arm.told[-1], joints, atol=1e-4)


def test_tools_and_models_that_do_not_fit_are_refused():
    joints = LIMITS.joints.names
    with pytest.raises(ConfigError, match="expected a model of 'fr4'"):
        tool_model(ToolSettings(), robot="fr4", joints=joints)
    with pytest.raises(ConfigError, match=r"tool\.site among .*tool.*, got 'pencil'"):
        tool_model(ToolSettings(site="pencil"), robot="plain", joints=joints)
    flight = Flight()
    other = tool_model(ToolSettings(), robot="gen3", joints=load_limits("gen3").joints.names)
    arm = Recorded(lambda: 0)
    arm.joint_names = tuple(f"right_j{i}" for i in range(7))
    with pytest.raises(ConfigError, match=r"a model of the joints right_j0"):
        PoseByJoints(arm, other, flight.limits, ToolSettings())


def test_the_tool_may_be_elsewhere_than_its_site():
    moved = tool_model(
        ToolSettings(offset_m=[0.0, 0.0, 0.1], rotation_rad=[0.0, 0.0, 0.5]),
        robot="plain",
        joints=LIMITS.joints.names,
    )
    plain = tool_model(ToolSettings(), robot="plain", joints=LIMITS.joints.names)
    start = start_of(LIMITS)
    down = moved.tool(start).position - plain.tool(start).position
    np.testing.assert_allclose(down, [0.0, 0.0, -0.1], atol=1e-6)
