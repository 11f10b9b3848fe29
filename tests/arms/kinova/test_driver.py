"""The driver against the emulated controllers, without ROS and without real time."""

import numpy as np
import pytest

from tests.arms.kinova.conftest import Flight
from tests.arms.kinova.near import NearLink
from tests.emulators.kortex.robot import START, KortexRobot
from tiltbot_ros.arms.poses import pose_vector
from tiltbot_ros.errors import DeviceError

DELTA = np.array([0.008, 0.004, -0.004, 0.0, 0.0, 0.02])


@pytest.mark.parametrize("rate_hz", [10.0, 50.0])
def test_deltas_at_10_hz_end_where_they_add_up_to(rate_hz):
    flight = Flight(rate_hz=rate_hz)
    start = flight.target.copy()
    flight.step(DELTA, 15)
    flight.step(np.zeros(6), 20)  # a target that stops at once is overshot, and come back to
    wanted = start + 15 * DELTA
    np.testing.assert_allclose(flight.target[:3], wanted[:3], atol=1e-9)
    np.testing.assert_allclose(pose_vector(flight.guarded.state.tool), flight.target, atol=1e-3)
    assert flight.link.robot.fault == ""
    assert flight.link.robot.trajectory.refused == []
    assert flight.guarded.state.interruptions == 0


@pytest.mark.parametrize("jitter_s", [0.0, 0.008])
def test_what_the_controller_carries_out_keeps_the_limits_of_the_rig(jitter_s):
    flight = Flight(jitter_s=jitter_s)
    for delta in (DELTA, np.zeros(6), -DELTA, np.zeros(6)):
        flight.step(delta, 10)
    told = flight.told()
    speed = np.diff(told, axis=0) / 1e-3
    push = np.diff(speed, axis=0) / 1e-3
    assert (np.abs(speed).max(axis=0) <= flight.limits.velocity + 1e-6).all()
    assert (np.abs(push).max(axis=0) <= flight.limits.acceleration * 1.01 + 1e-3).all()


def test_connecting_moves_nothing(flight):
    flight.wait(0.5)
    assert np.abs(flight.path() - START).max() < 1e-4


def test_a_producer_that_stalls_is_braked_within_the_deadman_and_a_cycle(flight):
    flight.step(DELTA, 8)
    silent_since_s = flight.now() - 0.1  # each delta lasts until the next
    references = flight.wait(1.5)
    stopping = [reference.phase for reference in references].index("stopping")
    assert stopping * 0.02 <= flight.settings.deadman_s - 0.1 + 2 * 0.02
    assert references[-1].phase == "holding"
    assert flight.guarded.figures()["deadman stops"] == 1
    # The arm itself: a cycle and the latency later it brakes, at the rig's acceleration.
    moving = np.abs(np.diff(flight.path(), axis=0)).max(axis=1) > 1e-6
    stands_s = flight.link.robot.history[int(np.flatnonzero(moving)[-1])][0]
    assert stands_s - silent_since_s < flight.settings.deadman_s + 0.9


def test_a_driver_that_dies_leaves_an_arm_that_brakes_by_itself(joints):
    joints.swing(1.2)
    at, speed = joints.path()[-1], joints.link.robot.dq[5]
    assert abs(speed) > 0.15
    joints.link.pass_time(1.0)  # nobody ticks, nothing is sent
    assert np.abs(joints.link.robot.dq).max() < 1e-6
    way = abs(joints.path()[-1][5] - at[5])
    reaction_s = 1.0 / 50.0 + joints.arm._settings.latency_s + 0.05
    assert way <= abs(speed) * reaction_s * 1.5 + speed**2 / (2 * 2.5)
    push = np.diff(joints.told(), n=2, axis=0)[-990:] / 1e-6
    assert np.abs(push).max() <= 2.5 * 1.01


def test_a_driver_that_wakes_up_goes_on_from_where_the_arm_stands(joints):
    joints.swing(1.2)
    joints.link.pass_time(1.0)
    stands = joints.link.robot.q.copy()
    joints.due_s = joints.now()
    joints.wait(0.3)
    assert joints.guarded.state.interruptions == 1
    assert np.abs(joints.link.robot.q - stands).max() < 5e-3
    assert joints.guarded.figures()["reason"] == "the driver had stopped the arm"


@pytest.mark.parametrize("stall_s", [0.03, 0.05, 0.08, 0.12, 0.3])
def test_cycles_that_stall_never_make_the_arm_jump(joints, stall_s):
    joints.swing(0.7)
    for _ in range(4):
        joints.link.pass_time(stall_s)
        joints.due_s = joints.now()
        joints.target = joints.guarded.stream.reference.position.copy()
        joints.swing(0.4, pulse=1.0)
    joints.wait(1.0)
    told = joints.told()
    push = np.diff(told, n=2, axis=0)[:-1] / 1e-6
    assert joints.link.robot.fault == ""
    assert np.abs(push).max() < 20.0
    assert np.abs(np.diff(told, axis=0)).max() / 1e-3 < 1.0


def test_a_trajectory_that_is_lost_is_noticed_before_the_arm_would_jump(joints):
    joints.swing(0.7)
    joints.link.deaf = True
    joints.swing(0.35)
    joints.link.deaf = False
    joints.wait(1.0)
    assert joints.link.robot.fault == ""
    assert joints.guarded.state.interruptions >= 1
    told = joints.told()
    assert np.abs(np.diff(told, axis=0)).max() < 0.06  # 3.4 degrees; 5 would be a fault


def test_a_joint_without_ends_is_never_turned_back_by_a_turn():
    robot = KortexRobot(start=START + np.array([0.0, 0, 0.05, 0, 0, 0, 3.1]))
    flight = Flight(space="joint", link=NearLink(robot))
    begin = flight.guarded.state.positions.copy()
    assert np.abs(begin).max() <= np.pi
    flight.swing(2.0, joint=6, amplitude=0.3)  # goes over pi and back
    flight.target = flight.guarded.stream.reference.position.copy()
    flight.swing(2.0, joint=2, amplitude=0.3)
    flight.wait(0.5)
    way = np.abs(np.diff(flight.path(), axis=0)).sum(axis=0)
    assert way.max() < 2.5
    assert np.ptp(np.array(flight.path())[:, 6]) < 0.7
    assert flight.link.robot.fault == ""


def test_an_arm_that_turns_and_turns_counts_its_turns():
    flight = Flight(space="joint", guard={"largest_step_rad": 1.0})
    begun = flight.guarded.state.positions[6]
    for _ in range(110):
        flight.target = flight.target + np.array([0, 0, 0, 0, 0, 0, 0.06])
        flight.offer(flight.target, np.array([0, 0, 0, 0, 0, 0, 0.6]))
        for _ in range(5):
            flight.tick()
    assert flight.guarded.state.positions[6] - begun == pytest.approx(6.6, abs=0.3)


def test_joint_states_that_stop_are_a_lost_connection_and_the_arm_brakes(joints):
    joints.swing(0.7)
    joints.link.silent = True
    with pytest.raises(DeviceError, match=r"no joint states of Kinova for 0\.2"):
        joints.swing(1.0)
    assert joints.guarded.phase == "fault"
    joints.link.pass_time(1.0)
    assert np.abs(joints.link.robot.dq).max() < 1e-6


def test_nothing_is_sent_blindly(joints):
    joints.swing(0.7)
    joints.link.silent = True
    sent = len(joints.link.sent)
    joints.swing(0.18)  # the connection does not count as lost yet
    assert len(joints.link.sent) - sent <= 6
    joints.link.silent = False
    joints.wait(1.0)
    assert joints.guarded.state.details["references held back without joint states"] > 0
    assert joints.link.robot.fault == ""


def test_a_controller_that_goes_is_a_lost_connection(joints):
    joints.link.listeners = 0
    with pytest.raises(DeviceError, match="activate joint_trajectory_controller"):
        joints.wait(0.1)


def test_a_robot_that_is_gone_is_connected_again_when_it_is_back(joints):
    joints.swing(0.5)
    joints.link.silent = True
    with pytest.raises(DeviceError):
        joints.wait(1.0)
    joints.guarded.close()
    with pytest.raises(DeviceError, match="none came"):
        joints.guarded.connect()
    joints.link.silent = False
    joints.link.pass_time(0.1)
    joints.guarded.connect()
    joints.guarded.take("policy", joints.now())
    joints.due_s = joints.now()
    joints.target = joints.guarded.stream.reference.position.copy()
    before = joints.link.robot.q.copy()
    joints.swing(0.8)
    assert np.abs(joints.link.robot.q - before).max() > 0.05
    assert joints.link.robot.fault == ""


def test_nothing_but_finite_references_is_sent(joints):
    sent = len(joints.link.sent)
    for bad in (np.nan, np.inf):
        assert joints.offer(np.full(7, bad), np.zeros(7)) == "numbers"
        with pytest.raises(DeviceError, match="finite"):
            joints.arm.stream_joints(np.full(7, bad), np.zeros(7))
    assert len(joints.link.sent) == sent


def test_an_arm_that_does_not_follow_is_a_fault_until_it_is_recovered(joints):
    joints.link.robot.jammed[5] = True
    joints.swing(3.0, amplitude=0.3)
    assert joints.guarded.phase == "fault"
    assert "joint_6 does not follow" in joints.guarded.figures()["reason"]
    joints.link.robot.jammed[5] = False
    joints.link.robot.clear_fault()
    joints.guarded.recover()
    joints.wait(0.3)
    assert joints.guarded.phase == "holding"


def test_what_the_fault_controller_says_is_a_fault(joints):
    joints.link.broken = "the robot is in fault"
    joints.wait(0.1)
    assert joints.guarded.figures()["reason"] == "the robot is in fault"
    joints.guarded.recover()
    assert joints.guarded.phase == "holding"


def test_states_carry_the_controllers_time_unless_its_clock_is_elsewhere():
    near = Flight(space="joint")
    near.wait(0.1)
    assert abs(near.guarded.state.stamp_ns - near.link.ros_ns()) < 2e7
    far = Flight(space="joint", link=NearLink(controllers_behind_s=30.0))
    start = far.target.copy()
    far.swing(1.0)
    assert abs(far.guarded.state.stamp_ns - far.link.ros_ns()) < 2e7
    assert far.guarded.state.details["clock of the controllers behind [ms]"] > 29_000
    # Trajectories are stamped in the controllers' time all the same.
    assert far.link.robot.trajectory.refused == []
    assert np.abs(far.link.robot.q[5] - start[5]) > 0.05


@pytest.mark.parametrize("jump_s", [-5.0, 5.0])
def test_a_clock_of_the_controllers_that_jumps_stops_the_arm_for_a_moment_at_most(joints, jump_s):
    joints.swing(0.7)
    joints.link.behind_ns -= round(jump_s * 1e9)
    joints.swing(0.5)
    joints.target = joints.guarded.stream.reference.position.copy()
    before = joints.path()[-1].copy()
    joints.swing(0.8)
    assert joints.link.robot.fault == ""
    assert joints.guarded.phase == "following"
    assert abs(joints.path()[-1][5] - before[5]) > 0.05
    assert np.abs(np.diff(joints.told(), axis=0)).max() < 0.06


def test_without_stamps_the_arm_goes_the_same_way():
    flight = Flight(stamped=False)
    flight.step(DELTA, 6)
    flight.step(np.zeros(6), 20)
    np.testing.assert_allclose(pose_vector(flight.guarded.state.tool), flight.target, atol=1e-3)
    assert flight.link.robot.fault == ""


def test_the_gripper_opens_closes_and_says_how_wide_it_is():
    flight = Flight(gripper="topic")
    gripper = flight.arm.gripper
    assert gripper.width_m == pytest.approx(0.085)
    gripper.move(0.02, speed_m_s=0.1)
    flight.wait(0.3)
    assert gripper.moving
    flight.wait(2.0)
    assert gripper.width_m == pytest.approx(0.02, abs=1e-3)
    assert not gripper.moving
    for bad in (np.nan, np.inf):
        with pytest.raises(DeviceError, match="finite"):
            gripper.move(bad, speed_m_s=0.1)
    assert Flight().arm.gripper is None


def test_poses_are_refused_and_so_is_a_second_connection(joints):
    with pytest.raises(DeviceError, match="PoseByJoints"):
        joints.arm.stream_pose(np.zeros(6), np.zeros(6))
    with pytest.raises(DeviceError, match="close it first"):
        joints.arm.connect()
    joints.guarded.close()
    with pytest.raises(DeviceError, match="connect it first"):
        joints.arm.state()
