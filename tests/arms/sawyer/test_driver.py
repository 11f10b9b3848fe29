"""The driver and its side process, with an emulated SDK and robot; real processes, real sockets."""

import os
import signal
import socket
import subprocess
import sys
import time

import numpy as np
import pytest

from tests.emulators.sawyer.robot import NEUTRAL
from tiltbot_ros.arms.commands import Command
from tiltbot_ros.arms.guard import GuardedArm, GuardSettings
from tiltbot_ros.arms.limits import load_limits
from tiltbot_ros.arms.sawyer.driver import SawyerArm
from tiltbot_ros.arms.sawyer.process import side_environment
from tiltbot_ros.arms.sawyer.settings import SawyerSettings
from tiltbot_ros.errors import DeviceError, MissingDependencyError

pytestmark = pytest.mark.realtime

CYCLE_S = 0.01


class Pilot:
    """A guarded Sawyer with one commander who swings the wrist."""

    def __init__(self, settings, **guard):
        self.arm = SawyerArm(settings)
        self.settings = GuardSettings(**{"speed_ratio": 0.3, "deadman_s": 0.1, **guard})
        self.guarded = GuardedArm(self.arm, load_limits("sawyer"), self.settings)
        self.guarded.connect()
        self.start = self.guarded.state.positions
        self.guarded.take("pilot", time.monotonic())
        self.n = 0
        self.begun_s = time.monotonic()

    def command(self):
        self.n += 1
        angle = 0.8 * (time.monotonic() - self.begun_s)
        position, velocity = self.start.copy(), np.zeros(7)
        position[5] += 0.25 * np.sin(angle)
        velocity[5] = 0.25 * 0.8 * np.cos(angle)
        self.guarded.offer(
            Command(
                commander="pilot",
                sequence=self.n,
                stamp_ns=time.time_ns(),
                position=position,
                velocity=velocity,
            ),
            now_s=time.monotonic(),
            now_ns=time.time_ns(),
        )

    def fly(self, seconds, *, commanding=True):
        out = []
        for _ in range(round(seconds / CYCLE_S)):
            if commanding:
                self.command()
            out.append(self.guarded.tick(time.monotonic()))
            time.sleep(CYCLE_S)
        return out

    def until(self, condition, timeout_s=5.0):
        end = time.monotonic() + timeout_s
        while not condition():
            assert time.monotonic() < end, self.guarded.figures()
            self.fly(CYCLE_S, commanding=False)


@pytest.fixture
def pilot(bus, settings):
    made = Pilot(settings)
    yield made
    made.guarded.close()


def speeds(robot, joint=5):
    """Speeds of a joint from one command to the next, as if each were a cycle later [rad/s]."""
    return np.diff([positions[joint] for _, positions in robot.commands]) / CYCLE_S


def until(condition, timeout_s=15.0):
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def settle(robot):
    """Wait until the robot has got commands, and gets none any more."""
    until(lambda: robot.commands and time.monotonic() - robot.commands[-1][0] > 0.5)


def ended(pid):
    """Whether a process is gone, or only waits for its parent to notice."""
    try:
        with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123
            return file.read().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_the_robot_follows_and_tells_its_joints(pilot, bus):
    pilot.fly(1.0)
    state = pilot.guarded.state
    assert pilot.arm.sdk == "5.3.0"
    assert state.fault == ""
    assert abs(state.stamp_ns - time.time_ns()) < 2e8
    assert np.abs(state.positions - pilot.start).max() > 0.05
    np.testing.assert_allclose(state.positions[:5], NEUTRAL[:5], atol=1e-3)
    assert state.tool.rotation.shape == (3, 3)
    assert bus.robot.speed_ratio == pytest.approx(0.5)
    assert bus.robot.command_timeout_s == pytest.approx(0.5)
    assert len(pilot.arm.delays_s) > 20


def test_connecting_moves_nothing(pilot, bus):
    pilot.fly(0.3, commanding=False)
    commanded = np.array([positions for _, positions in bus.robot.commands])
    np.testing.assert_allclose(commanded, np.tile(NEUTRAL, (len(commanded), 1)), atol=1e-9)


def test_a_producer_that_stalls_is_braked_within_the_deadman_and_a_cycle(pilot, bus):
    pilot.fly(0.5)
    moving = pilot.guarded.stream.reference
    references = pilot.fly(1.0, commanding=False)
    phases = [reference.phase for reference in references]
    # Ticks come no more often than once a cycle, so this many pass at most.
    assert phases.index("stopping") * CYCLE_S <= 0.1 + CYCLE_S
    pilot.until(lambda: pilot.guarded.phase == "holding")
    assert pilot.guarded.figures()["deadman stops"] == 1
    at_rest = pilot.fly(0.1, commanding=False)[-1].position
    assert bus.robot.commands[-1][1] == pytest.approx(at_rest, abs=1e-9)
    speed, most = np.abs(moving.velocity), pilot.guarded.stream.limits.acceleration
    way = speed * (0.1 + 5 * CYCLE_S) + speed**2 / (2 * most)
    assert (np.abs(at_rest - moving.position) <= way + 1e-9).all()


def test_a_node_that_hangs_is_braked_by_the_side_process(pilot, bus):
    pilot.fly(0.5)
    told = len(bus.robot.commands)
    speed = abs(pilot.guarded.stream.reference.velocity[5])
    settle(bus.robot)  # nobody ticks: the side process does not hear of the node
    # The last command is the robot's own position, to hold there.
    path = np.array([positions[5] for _, positions in bus.robot.commands[told - 1 : -1]])
    way = np.diff(path)
    assert speed > 0.1
    assert (way >= -1e-9).all()
    assert way.sum() == pytest.approx(speed**2 / (2 * 2.5), rel=0.35)
    told = len(bus.robot.commands)
    pilot.until(lambda: pilot.guarded.state.interruptions == 1)
    pilot.fly(0.1, commanding=False)
    # Nothing pulls it back to where the node had last told it to be.
    assert abs(bus.robot.commands[-1][1][5] - bus.robot.commands[told - 1][1][5]) < 2e-3


NODE = """
import sys, time
from tests.arms.sawyer.test_driver import Pilot
from tiltbot_ros.arms.sawyer.settings import SawyerSettings
pilot = Pilot(SawyerSettings.model_validate_json(sys.argv[1]))
print(pilot.arm._side.process.pid, flush=True)
pilot.fly(60.0)
"""


def test_a_node_that_is_killed_leaves_a_standing_robot_and_no_process(bus, settings):
    command = [sys.executable, "-c", NODE, settings.model_dump_json()]
    node = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    side = int(node.stdout.readline())
    until(lambda: np.abs(speeds(bus.robot)).max(initial=0.0) > 0.15)
    node.kill()
    node.wait()
    node.stdout.close()
    until(lambda: ended(side))
    settle(bus.robot)
    # It braked, the last step at most 2.5 rad/s2 * 20 ms for 20 ms; then the hold.
    assert abs(speeds(bus.robot)[-2]) <= 0.1
    held = bus.robot.positions[:]
    time.sleep(0.3)
    assert bus.robot.positions == held


def test_a_side_process_that_is_killed_is_told_and_the_robot_holds(pilot, bus):
    pilot.fly(0.5)
    pilot.arm._side.process.kill()
    with pytest.raises(DeviceError, match=r"connection to the side process.*ended by signal 9"):
        pilot.fly(2.0)
    assert pilot.guarded.phase == "fault"
    time.sleep(0.3)
    held = bus.robot.positions[:]
    time.sleep(0.3)
    assert bus.robot.positions == held


def test_a_side_process_that_hangs_is_told_and_the_robot_leaves_the_command(pilot, bus):
    pilot.fly(0.5)
    process = pilot.arm._side.process
    process.send_signal(signal.SIGSTOP)
    try:
        with pytest.raises(DeviceError, match="silent for"):
            pilot.fly(6.0)
        until(lambda: bus.robot.timeouts > 0)
    finally:
        process.kill()


def test_a_connection_that_breaks_leaves_a_standing_robot(pilot, bus):
    pilot.fly(0.5)
    pilot.arm._side.connection.shutdown(socket.SHUT_RDWR)
    with pytest.raises(DeviceError, match=r"connection to the side process|does not take"):
        pilot.fly(2.0)
    settle(bus.robot)
    held = bus.robot.positions[:]
    time.sleep(0.3)
    assert bus.robot.positions == held
    assert pilot.arm._side.process.wait(5) == 0


def test_nonsense_on_the_socket_moves_nothing_and_stops_nothing(pilot, bus):
    pilot.fly(0.3)
    connection = pilot.arm._side.connection
    seven, told = b"[0,0,0,0,0,0,0]", len(bus.robot.commands)
    for data in (
        b"nonsense",
        b'{"kind":"reference"}',
        b'{"kind":"reference","q":[NaN,0,0,0,0,0,0],"dq":' + seven + b"}",
        b'{"kind":"reference","q":' + seven + b',"dq":[1e999,0,0,0,0,0,0]}',
        b'{"kind":"reference","q":[0],"dq":[0]}',
        b'{"kind":"dance"}',
        b'{"kind":"request","id":9,"do":"explode"}',
    ):
        connection.send(data)
    pilot.fly(0.3)
    assert pilot.guarded.phase == "following"
    assert pilot.guarded.state.details["packets refused by the side process"] >= 5
    path = np.array([positions for _, positions in bus.robot.commands[told:]])
    assert np.abs(path[:, :5] - pilot.start[:5]).max() < 1e-6


def test_an_emergency_stop_in_motion_is_a_fault_until_a_person_ends_it(pilot, bus):
    pilot.fly(0.5)
    bus.robot.press()
    pilot.until(lambda: pilot.guarded.phase == "fault")
    assert "emergency stop" in pilot.guarded.figures()["reason"]
    held = bus.robot.positions[:]
    pilot.fly(0.3)  # the commander has not noticed
    assert pilot.guarded.stream.refused["fault"] >= 20
    with pytest.raises(DeviceError, match="turn the button"):
        pilot.guarded.recover()
    bus.robot.release()
    assert bus.robot.positions == held
    pilot.until(lambda: "find out why" in pilot.guarded.state.fault)
    pilot.guarded.recover()
    assert bus.robot.enabled
    pilot.fly(0.2, commanding=False)
    # It stands where it was stopped, not where it was told to be before.
    np.testing.assert_allclose(bus.robot.positions, held, atol=1e-6)
    pilot.start = pilot.guarded.state.positions
    pilot.begun_s = time.monotonic()
    pilot.fly(0.5)
    assert pilot.guarded.phase == "following"
    assert abs(pilot.guarded.stream.reference.position[5] - held[5]) > 0.02


@pytest.mark.parametrize(
    ("upset", "words"),
    [
        (lambda robot: robot.joint_fault(), "a joint's fault"),
        (lambda robot: setattr(robot, "collision", True), "collision"),
        (lambda robot: robot.set_enabled(False), "switched off"),
    ],
)
def test_every_fault_of_the_robot_has_words(pilot, bus, upset, words):
    pilot.fly(0.2)
    upset(bus.robot)
    pilot.until(lambda: pilot.guarded.phase == "fault")
    assert words in pilot.guarded.figures()["reason"]


@pytest.mark.parametrize("trouble", ["stuck", "deaf"])
def test_a_joint_that_does_not_follow_is_a_fault(bus, settings, trouble):
    pilot = Pilot(settings, lag_rad=0.05, lag_s=0.1)
    try:
        bus.robot.stuck = 5 if trouble == "stuck" else None
        bus.deaf = trouble == "deaf"  # the commands are lost on the way
        pilot.fly(1.0)
        pilot.until(lambda: pilot.guarded.phase == "fault")
        assert "right_j5 does not follow" in pilot.guarded.figures()["reason"]
    finally:
        pilot.guarded.close()


def test_a_robot_that_falls_silent_is_told(pilot, bus):
    pilot.fly(0.3)
    bus.silent = True
    with pytest.raises(DeviceError, match="no joint states for"):
        pilot.fly(6.0)


def test_a_robot_with_another_clock_is_stamped_by_ours(bus, settings):
    bus.clock_offset_s = -3600.0
    pilot = Pilot(settings)
    try:
        pilot.fly(0.2)
        assert abs(pilot.guarded.state.stamp_ns - time.time_ns()) < 5e8
        assert pilot.guarded.state.details["clock of the robot behind [ms]"] > 3.5e6
        bus.clock_offset_s = 0.0  # the clock jumps while it moves
        assert pilot.fly(0.2)[-1].phase == "following"
    finally:
        pilot.guarded.close()


def test_a_robot_that_is_off_is_switched_on_only_when_the_rig_says_so(bus, settings):
    bus.robot.set_enabled(False)
    pilot = Pilot(settings)
    pilot.fly(0.05)
    assert "switched off" in pilot.guarded.figures()["reason"]
    pilot.guarded.close()
    assert not bus.robot.enabled
    pilot = Pilot(settings.model_copy(update={"enable": True}))
    pilot.fly(0.05)
    assert pilot.guarded.phase != "fault"
    pilot.guarded.close()
    assert bus.robot.enabled


def test_closing_lets_the_robot_stand_and_a_second_connection_works(pilot, bus):
    pilot.fly(0.4)
    pilot.guarded.close()
    held = bus.robot.positions[:]
    time.sleep(0.3)
    assert bus.robot.positions == held
    pilot.guarded.connect()
    assert pilot.guarded.state.fault == ""


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
