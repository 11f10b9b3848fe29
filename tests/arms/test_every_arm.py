"""What every arm owes, from a commander's steps to its stand-in, on clocks stepped by hand.

Sawyer and Franka have stand-ins in real time: sawyer/test_rig.py, franka/test_rig.py.
"""

import numpy as np
import pytest

from tests.arms import wild
from tests.arms.kinova.near import NearLink
from tests.emulators.kortex.robot import KortexRobot
from tiltbot_ros.arms.commanded import CommandedArm
from tiltbot_ros.arms.deltas import DeltaSettings, Step
from tiltbot_ros.arms.gripping import GripperSettings
from tiltbot_ros.arms.guard import GuardSettings, rig_limits
from tiltbot_ros.arms.kinematic_arm import KinematicArm
from tiltbot_ros.arms.kinova.driver import KinovaArm
from tiltbot_ros.arms.kinova.settings import KinovaSettings
from tiltbot_ros.arms.kinova.twist import KinovaTwistArm
from tiltbot_ros.arms.limits import load_limits, robots_directory
from tiltbot_ros.arms.mujoco_arm import MujocoArm
from tiltbot_ros.arms.mujoco_arm_settings import MujocoArmSettings
from tiltbot_ros.arms.pose_by_joints import PoseByJoints, tool_model
from tiltbot_ros.arms.preview import PreviewArm
from tiltbot_ros.arms.robots import start_of
from tiltbot_ros.arms.tool_settings import ToolSettings
from tiltbot_ros.errors import CommandError, DeviceError

EPOCH_NS = 1_760_000_000_000_000_000
STEPS_HZ = 10.0
FORTH = np.array([0.0, 0.006, 0.0, 0.0, 0.0, 0.02])


class Time:
    """One clock for an arm and its stand-in."""

    now_s = 5.0

    def pass_time(self, seconds):
        self.now_s += seconds

    def ros_ns(self):
        return EPOCH_NS + round(self.now_s * 1e9)


class Kinematic:
    """It is its own stand-in, and has nothing that could fail."""

    def __init__(self):
        limits = load_limits("plain")
        self.robot, self.time = "plain", Time()
        self.arm = KinematicArm(
            name="kinematic",
            joints=limits.joints.names,
            start=start_of(limits),
            rate_hz=100.0,
            clock=self.time.ros_ns,
        )

    def where(self):
        return self.arm.state().positions


class Simulated:
    def __init__(self, robot):
        self.robot, self.time = robot, Time()
        self.arm = MujocoArm(
            MujocoArmSettings(robot=robot, model=str(robots_directory() / f"{robot}.xml")),
            rate_hz=100.0,
            clock=self.time.ros_ns,
            monotonic=lambda: self.time.now_s,
        )
        self.press, self.release = self.arm.press_stop, self.arm.release_stop

    def where(self):
        return self.arm.data.qpos[self.arm.robot.qpos].copy()


class Kinova:
    def __init__(self, mode):
        self.robot = "gen3"
        self.time = NearLink(KortexRobot(mode))
        self.time.pass_time(0.05)
        settings = KinovaSettings(mode=mode)
        clocks = {"clock": self.time.ros_ns, "monotonic": lambda: self.time.now_s}
        if mode == "trajectory":
            self.arm = KinovaArm(settings, self.time, rate_hz=50.0, **clocks)
        else:
            tool = ToolSettings(site="end_effector_link")  # the robot's own tool
            model = tool_model(tool, robot="gen3", joints=KinovaArm.joint_names)
            self.arm = KinovaTwistArm(settings, self.time, model, rate_hz=50.0, **clocks)

    def where(self):
        return self.time.robot.q.copy()

    def press(self):
        """What ros2_kortex shows of the emergency stop: joints that stand, and its fault."""
        self.time.robot.fault = self.time.broken = "emergency stop"
        self.reset = self.time.reset_fault
        self.time.reset_fault = lambda *, timeout_s: None

    def release(self):
        self.time.reset_fault = self.reset


STANDS = {
    "kinematic": Kinematic,
    "mujoco plain": lambda: Simulated("plain"),
    "mujoco sawyer": lambda: Simulated("sawyer"),
    "kinova": lambda: Kinova("trajectory"),
    "kinova twist": lambda: Kinova("twist"),
}


class Bench:
    """A commander of 10 steps a second at one arm, as the arm node has it."""

    def __init__(self, stand, *, dry_run=False):
        self.stand, self.time = stand, stand.time
        limits, tool = load_limits(stand.robot), ToolSettings()
        self.guard = GuardSettings(
            speed_ratio=0.5, deadman_s=0.25, largest_step_m=0.2, largest_step_rad=0.4
        )
        self.joints = rig_limits(limits, self.guard, "joint")
        self.poses = rig_limits(limits, self.guard, "pose")
        self.told = {"joints": [], "pose": []}
        self._listen(stand.arm)
        arm = PreviewArm(stand.arm) if dry_run else stand.arm
        if "pose" not in arm.spaces:
            model = tool_model(tool, robot=stand.robot, joints=arm.joint_names)
            arm = PoseByJoints(arm, model, self.joints, tool, monotonic=lambda: self.time.now_s)
        self.arm = CommandedArm(
            arm,
            limits,
            guard=self.guard,
            deltas=DeltaSettings(rate_hz=STEPS_HZ),
            gripper=GripperSettings(),
        )
        self.arm.connect()
        self.n = self.jump_ns = 0
        self.start = stand.where()

    def _listen(self, arm):
        for space, name in (("joints", "stream_joints"), ("pose", "stream_pose")):
            stream, told = getattr(arm, name), self.told[space]

            def heard(position, velocity, stream=stream, told=told):
                told.append(position.copy())
                stream(position, velocity)

            setattr(arm, name, heard)

    def ros_ns(self):
        return self.time.ros_ns() + self.jump_ns

    def take(self, commander="me"):
        self.arm.take(commander, self.time.now_s)

    def offer(self, step):
        return self.arm.step(step, now_s=self.time.now_s, now_ns=self.ros_ns())

    def step(self, delta, *, commander="me", stamp_ns=None):
        self.n += 1
        return self.offer(
            Step(
                commander=commander,
                sequence=self.n,
                stamp_ns=self.ros_ns() if stamp_ns is None else stamp_ns,
                delta=np.asarray(delta),
            )
        )

    def run(self, seconds):
        for _ in range(round(seconds * self.arm.arm.rate_hz)):
            self.time.pass_time(1.0 / self.arm.arm.rate_hz)
            self.arm.tick(self.time.now_s, self.ros_ns())

    def lead(self, count, delta=FORTH):
        refused = []
        for _ in range(count):
            refused.append(self.step(delta))
            self.run(1.0 / STEPS_HZ)
        return [cause for cause in refused if cause]

    @property
    def status(self):
        return self.arm.status(self.time.now_s)

    @property
    def moved(self):
        return float(np.abs(self.stand.where() - self.start).max())

    def stands(self, seconds=0.3):
        before = self.stand.where()
        self.run(seconds)
        return np.abs(self.stand.where() - before).max() < 1e-3


@pytest.fixture(params=STANDS)
def stand(request):
    return STANDS[request.param]()


def test_connecting_moves_nothing_and_a_second_commander_is_refused(stand):
    bench = Bench(stand)
    bench.run(0.3)
    assert bench.moved < 2e-3
    bench.take()
    assert bench.lead(8) == []
    with pytest.raises(CommandError, match="'me' commands it"):
        bench.take("you")
    moved = bench.moved
    assert bench.step(FORTH, commander="you") == "commander"
    assert bench.lead(6) == []  # the first goes on
    assert bench.moved > moved + 0.01
    assert bench.status.commander == "me"


def test_a_dry_run_shows_where_it_would_go_and_tells_the_device_nothing(stand):
    bench = Bench(stand, dry_run=True)
    bench.take()
    begun = bench.arm.reference.position.copy()
    assert bench.lead(6) == []
    assert bench.lead(6, np.zeros(6)) == []
    np.testing.assert_allclose(bench.arm.reference.position[1] - begun[1], 0.036, atol=1e-6)
    bench.arm.stop("enough", bench.time.now_s)
    bench.run(0.3)
    with pytest.raises(DeviceError, match="dry run"):
        bench.arm.recover()
    bench.arm.close()
    assert bench.told == {"joints": [], "pose": []}
    assert bench.moved < 1e-3


def test_silence_stops_the_arm_within_the_deadman_and_a_cycle(stand):
    bench = Bench(stand)
    bench.take()
    bench.lead(10)
    silent_s = bench.time.now_s - 1.0 / STEPS_HZ
    period_s = 1.0 / bench.arm.arm.rate_hz
    while bench.status.phase == "following":
        bench.run(period_s)
    assert bench.time.now_s - silent_s <= bench.guard.deadman_s + period_s + 1e-9
    bench.run(1.0)
    assert (bench.status.phase, bench.status.deadman_stops) == ("holding", 1)
    assert bench.stands()


@pytest.mark.parametrize("jump_s", [-3600.0, 3600.0])
def test_a_clock_that_jumps_stops_the_arm_until_stamps_fit(stand, jump_s):
    bench = Bench(stand)
    bench.take()
    bench.lead(8)
    bench.jump_ns = round(jump_s * 1e9)
    for _ in range(8):  # the commander's clock has not jumped yet
        assert bench.step(FORTH, stamp_ns=stand.time.ros_ns()) == "stamp"
        bench.run(1.0 / STEPS_HZ)
    assert bench.status.deadman_stops == 1
    assert bench.stands()
    moved = bench.moved
    assert bench.lead(6) == []
    assert bench.moved > moved + 0.01
    assert bench.status.fault == ""


def test_an_emergency_stop_in_motion_is_a_fault_until_a_person_ends_it(stand):
    if not hasattr(stand, "press"):
        pytest.skip("it has no device that could stop")
    bench = Bench(stand)
    bench.take()
    bench.lead(8)
    stand.press()
    bench.run(0.5)
    assert "emergency stop" in bench.status.fault
    told = len(bench.told["joints"]) + len(bench.told["pose"])
    assert set(bench.lead(4)) == {"fault"}
    assert bench.stands()
    assert len(bench.told["joints"]) + len(bench.told["pose"]) == told
    with pytest.raises(DeviceError, match="emergency stop"):
        bench.arm.recover()
    stand.release()
    held = stand.where()
    bench.arm.recover()
    bench.run(0.5)
    # It stays where it was stopped, not where it had been told to go.
    assert np.abs(stand.where() - held).max() < 5e-3
    bench.take()
    assert bench.lead(8) == []
    assert np.abs(stand.where() - held).max() > 0.01


def test_no_wild_steps_take_the_device_out_of_its_limits(stand):
    bench = Bench(stand)
    bench.take()
    random = np.random.default_rng(3)
    for step in wild.steps(random, 120, commander="me", clock=bench.ros_ns):
        bench.offer(step)
        bench.run(random.choice([0.02, 0.04, 0.1]))
        if not bench.status.commander:
            bench.take()
    status = bench.status
    assert set(status.refusals) >= wild.CAUSES
    assert status.fault == ""
    assert bench.moved > 0.01
    limits, told = (
        (bench.joints, bench.told["joints"])
        if bench.told["joints"]
        else (bench.poses, bench.told["pose"])
    )
    path, rate_hz = np.array(told), bench.arm.arm.rate_hz
    speed = np.diff(path, axis=0) * rate_hz
    assert (path >= np.minimum(limits.lower, path[0]) - 1e-9).all()
    assert (path <= np.maximum(limits.upper, path[0]) + 1e-9).all()
    assert (np.abs(speed) <= limits.velocity + 1e-9).all()
    assert (np.abs(np.diff(speed, axis=0)) * rate_hz <= limits.acceleration + 1e-6).all()
    if isinstance(stand, Kinova):
        assert stand.time.robot.fault == ""
