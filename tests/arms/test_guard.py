import numpy as np
import pytest

from tiltbot_ros.arms.arm import ArmState, ToolPose
from tiltbot_ros.arms.commands import Command
from tiltbot_ros.arms.guard import GuardedArm, GuardSettings
from tiltbot_ros.arms.limits import load_limits
from tiltbot_ros.errors import CommandError, ConfigError, DeviceError

LIMITS = load_limits("gen3")
HOME = np.array([0.0, 0.26, 3.14, -2.27, 0.0, 0.96, 1.57])


class IdealArm:
    """An arm that is where it was last told to be."""

    name = "ideal"
    joint_names = LIMITS.joints.names
    rate_hz = 100.0
    spaces = frozenset({"joint", "pose"})
    gripper = None

    def __init__(self):
        self.joints, self.pose = HOME.copy(), np.array([0.5, 0.0, 0.3, 0.0, 0.0, 0.0])
        self.fault, self.lost, self.stuck = "", False, False
        self.interruptions = 0
        self.told = []

    def connect(self):
        self.told.append("connect")

    def state(self):
        if self.lost:
            raise DeviceError("the cable is out")
        tool = ToolPose(position=self.pose[:3], rotation=np.eye(3))
        zero = np.zeros(7)
        return ArmState(
            stamp_ns=0,
            positions=self.joints.copy(),
            velocities=zero,
            efforts=zero,
            tool=tool,
            fault=self.fault,
            interruptions=self.interruptions,
        )

    def stream_joints(self, position, velocity):
        self.told.append("joints")
        if not self.stuck:
            self.joints = position

    def stream_pose(self, pose, velocity):
        self.told.append("pose")
        self.pose = pose

    def stop(self):
        self.told.append("stop")

    def recover(self):
        self.told.append("recover")
        self.fault = ""

    def close(self):
        self.told.append("close")


class Flight:
    def __init__(self, *, space="joint", **settings):
        self.arm = IdealArm()
        measured = {"joint": lambda state: state.positions, "pose": lambda _: self.arm.pose}
        self.guarded = GuardedArm(
            self.arm, LIMITS, GuardSettings(**settings), space=space, measured=measured[space]
        )
        self.guarded.connect()
        self.now_s, self.n = 1.0, 0
        self.guarded.take("me", self.now_s)

    def offer(self, position, commander="me"):
        self.n += 1
        command = Command(
            commander=commander,
            sequence=self.n,
            stamp_ns=int(self.now_s * 1e9),
            position=np.asarray(position, dtype=float),
        )
        return self.guarded.offer(command, now_s=self.now_s, now_ns=int(self.now_s * 1e9))

    def fly(self, position, ticks):
        for _ in range(ticks):
            self.now_s += 0.01
            if position is not None:
                self.offer(position)
            self.guarded.tick(self.now_s)


def test_an_arm_goes_where_it_is_told_in_joints_and_in_poses():
    flight = Flight()
    flight.fly(HOME + 0.1, 200)
    np.testing.assert_allclose(flight.arm.joints, HOME + 0.1, atol=1e-9)
    flight = Flight(space="pose")
    target = flight.arm.pose + np.array([0.02, 0.0, -0.02, 0.1, 0.0, -0.1])
    flight.fly(target, 200)
    np.testing.assert_allclose(flight.arm.pose, target, atol=1e-9)
    assert "joints" not in flight.arm.told


def test_a_pose_outside_the_workspace_ends_at_its_wall():
    flight = Flight(space="pose")
    for _ in range(40):
        flight.fly(flight.arm.pose - np.array([0.0, 0.0, 0.05, 0.0, 0.0, 0.0]), 10)
    assert flight.arm.pose[2] == pytest.approx(LIMITS.pose.lower[2])


def test_the_second_commander_is_refused():
    flight = Flight()
    with pytest.raises(CommandError, match="'me' commands it"):
        flight.guarded.take("you", flight.now_s)
    assert flight.offer(HOME, commander="you") == "commander"


def test_nothing_is_told_to_an_arm_with_a_fault_and_recovering_starts_where_it_stands():
    flight = Flight()
    flight.fly(HOME + 0.1, 20)
    flight.arm.fault = "reflex"
    flight.arm.told.clear()
    flight.fly(HOME + 0.1, 20)
    assert flight.arm.told == []
    assert flight.guarded.figures()["reason"] == "reflex"
    flight.arm.joints = HOME - 0.3  # somebody moved it
    flight.guarded.recover()
    flight.fly(None, 5)
    np.testing.assert_allclose(flight.arm.joints, HOME - 0.3, atol=1e-12)
    assert flight.guarded.phase == "holding"


def test_an_arm_that_its_driver_has_stopped_goes_on_from_where_it_stands():
    flight = Flight()
    flight.fly(HOME + 0.1, 30)
    stopped = flight.arm.joints + 0.05
    flight.arm.joints, flight.arm.interruptions = stopped, 1
    flight.fly(None, 1)
    np.testing.assert_allclose(flight.arm.joints, stopped, atol=1e-12)
    assert flight.guarded.figures()["reason"] == "the driver had stopped the arm"
    flight.fly(HOME + 0.1, 200)
    np.testing.assert_allclose(flight.arm.joints, HOME + 0.1, atol=1e-9)


def test_an_arm_whose_connection_is_lost_is_told_to_stop():
    flight = Flight()
    flight.fly(HOME + 0.1, 5)
    flight.arm.lost = True
    with pytest.raises(DeviceError, match="cable"):
        flight.fly(HOME + 0.1, 1)
    assert flight.arm.told[-1] == "stop"
    assert flight.offer(HOME) == "fault"


def test_an_arm_that_does_not_follow_is_a_fault():
    flight = Flight(lag_rad=0.05, lag_s=0.2)
    flight.arm.stuck = True
    flight.fly(HOME + 0.15, 200)
    assert flight.guarded.phase == "fault"
    assert "does not follow" in flight.guarded.figures()["reason"]


def test_an_arm_outside_its_range_is_not_taken():
    guarded = GuardedArm(IdealArm(), LIMITS, GuardSettings())
    guarded.arm.joints[1] = 2.3
    with pytest.raises(DeviceError, match=r"joint_2 at 2.300 rad.*by hand"):
        guarded.connect()


def test_limits_of_another_robot_and_a_space_it_lacks_are_refused():
    with pytest.raises(ConfigError, match=r"expected limits of the joints joint_1.*'panda'"):
        GuardedArm(IdealArm(), load_limits("panda"), GuardSettings())
    arm = IdealArm()
    arm.spaces = frozenset({"joint"})
    with pytest.raises(ConfigError, match=r"takes \(joint\), got 'pose'"):
        GuardedArm(arm, LIMITS, GuardSettings(), space="pose")


def test_an_arm_that_is_not_connected_has_no_state():
    with pytest.raises(DeviceError, match="connect it"):
        _ = GuardedArm(IdealArm(), LIMITS, GuardSettings()).state
