"""The simulated arms, on a clock that is stepped by hand."""

import numpy as np
import pytest

from tiltbot_ros.arms.commands import Command
from tiltbot_ros.arms.drivers import ARMS, ArmSettings, make_arm, open_tray, robot_limits
from tiltbot_ros.arms.guard import GuardedArm, GuardSettings
from tiltbot_ros.arms.limits import load_limits, robots_directory
from tiltbot_ros.arms.mujoco_arm import MujocoArm
from tiltbot_ros.arms.mujoco_arm_settings import MujocoArmSettings
from tiltbot_ros.arms.robots import MODELS_VARIABLE, ROBOTS, find_model
from tiltbot_ros.arms.tilts import TiltSettings
from tiltbot_ros.errors import ConfigError, DeviceError, MissingDependencyError
from tiltbot_ros.rigs import Rig

# Ours, whatever else is on the machine.
ALWAYS = ["plain", "gen3", "sawyer"]
OURS = {robot: str(robots_directory() / f"{robot}.xml") for robot in ALWAYS}


class Bench:
    def __init__(self, robot="plain", *, held=None, **settings):
        self.now_s = 5.0
        self.arm = MujocoArm(
            MujocoArmSettings(**{"robot": robot, "model": OURS.get(robot, ""), **settings}),
            clock=lambda: round(self.now_s * 1e9),
            monotonic=lambda: self.now_s,
            held=held,
        )
        self.arm.connect()
        self.start = self.arm.state().positions.copy()

    def run(self, seconds, *, position=None, velocity=None):
        for _ in range(round(seconds * 100)):
            self.now_s += 0.01
            if position is not None:
                self.arm.stream_joints(position, np.zeros(7) if velocity is None else velocity)
        return self.arm.state()

    def swing(self, seconds, amplitude=0.2):
        for step in range(round(seconds * 100)):
            self.now_s += 0.01
            wave = 2.0 * 0.01 * step
            offset = amplitude * np.sin(wave)
            self.arm.stream_joints(self.start + offset, np.full(7, 2.0 * amplitude * np.cos(wave)))
        return self.arm.state()


@pytest.mark.parametrize("robot", ALWAYS)
def test_an_arm_without_assets_stands_and_follows(robot):
    bench = Bench(robot)
    still = bench.run(0.5, position=bench.start)
    assert np.abs(still.positions - bench.start).max() < 2e-3
    moved = bench.swing(0.5)
    told = bench.start + 0.2 * np.sin(2.0 * 0.49)
    # A servo of 60 rad/s lags by a thirtieth of a second.
    assert np.abs(moved.positions - told).max() < 0.4 / 30 * 1.5
    assert np.abs(moved.positions - bench.start).max() > 0.1
    assert moved.interruptions == 0
    assert abs(moved.stamp_ns - bench.now_s * 1e9) < 1
    assert moved.tool.position[2] > 0.0


def test_time_goes_on_only_with_its_clock_and_long_pauses_are_left_out():
    bench = Bench()
    bench.arm.state()
    before = bench.arm.data.time
    bench.arm.state()
    assert bench.arm.data.time == before
    bench.now_s += 60.0
    bench.arm.state()
    assert bench.arm.data.time - before == pytest.approx(0.5, abs=0.01)
    assert bench.arm.skipped_s == pytest.approx(59.5)


def test_two_runs_are_the_same_to_the_bit():
    first, second = Bench().swing(0.5), Bench().swing(0.5)
    np.testing.assert_array_equal(first.positions, second.positions)


def test_a_caller_that_falls_silent_is_braked_by_the_arm_itself():
    bench = Bench()
    bench.swing(0.3)
    at = bench.arm.state().positions
    later = bench.run(1.0)
    assert later.interruptions == 1
    assert np.abs(later.velocities).max() < 1e-3
    assert np.abs(later.positions - at).max() < 0.4 * 0.05 + 0.4**2 / (2 * 4.0)


def test_faults_stop_it_until_they_are_recovered():
    bench = Bench()
    bench.swing(0.2)
    bench.arm.fail("reflex")
    stopped = bench.run(0.5, position=bench.start + 0.5)
    assert stopped.fault == "reflex"
    assert not stopped.enabled
    assert np.abs(stopped.velocities).max() < 1e-3
    bench.arm.recover()
    assert bench.arm.state().fault == ""
    bench.arm.press_stop()
    assert bench.arm.state().stopped_by_hand
    with pytest.raises(DeviceError, match="release it"):
        bench.arm.recover()
    bench.arm.release_stop()
    bench.arm.recover()
    after = bench.run(0.3)
    assert np.abs(after.positions - stopped.positions).max() < 0.02


def test_a_jammed_joint_is_found_by_the_guard():
    bench = Bench()
    guarded = GuardedArm(bench.arm, load_limits("plain"), GuardSettings(lag_rad=0.05, lag_s=0.1))
    guarded.connect()
    guarded.take("me", bench.now_s)
    bench.arm.jam(3)
    for n in range(150):
        bench.now_s += 0.01
        now_ns = round(bench.now_s * 1e9)
        target = bench.start + 0.15
        guarded.offer(
            Command(commander="me", sequence=n, stamp_ns=now_ns, position=target),
            now_s=bench.now_s,
            now_ns=now_ns,
        )
        guarded.tick(bench.now_s)
    assert "joint_4 does not follow" in guarded.figures()["reason"]


def test_a_lost_connection_is_an_error_until_it_is_connected_again():
    bench = Bench()
    bench.arm.lose()
    with pytest.raises(DeviceError, match="lost"):
        bench.arm.state()
    bench.arm.connect()
    bench.arm.state()
    bench.arm.close()
    with pytest.raises(DeviceError, match="connect it"):
        bench.arm.stream_joints(bench.start, np.zeros(7))


def test_unsound_references_and_poses_are_refused():
    bench = Bench()
    with pytest.raises(DeviceError, match="finite"):
        bench.arm.stream_joints(np.full(7, np.nan), np.zeros(7))
    with pytest.raises(DeviceError, match="PoseByJoints"):
        bench.arm.stream_pose(np.zeros(6), np.zeros(6))
    with pytest.raises(ConfigError, match="expected 7 numbers"):
        Bench(start_joints_rad=[0.0, 0.0])


def test_references_beyond_a_range_end_at_it():
    bench = Bench()
    beyond = bench.start.copy()
    beyond[1] = 4.0
    for part in np.linspace(0.0, 1.0, 300):
        bench.run(0.01, position=bench.start + part * (beyond - bench.start))
    assert bench.run(0.3, position=beyond).positions[1] <= 2.0 + 0.02


@pytest.mark.parametrize("robot", ["plain", "gen3"])
def test_the_gripper_opens_closes_and_holds(robot):
    bench = Bench(robot)
    gripper = bench.arm.gripper
    assert gripper.width_m == pytest.approx(gripper.max_width_m, abs=1e-3)
    gripper.move(0.02, speed_m_s=0.1)
    bench.run(0.2)
    assert gripper.moving
    bench.run(0.4)
    bench.run(0.4)
    bench.arm.state()
    assert gripper.width_m == pytest.approx(0.02, abs=1e-3)
    gripper.grasp(0.0, speed_m_s=0.1, force_n=10.0)
    for _ in range(3):
        bench.run(0.4)
    assert gripper.width_m < 2e-3
    with pytest.raises(ConfigError, match="finite"):
        gripper.move(np.nan, speed_m_s=0.1)
    assert Bench("sawyer").arm.gripper is None


def test_a_robot_without_a_model_says_where_one_may_be_had(monkeypatch, tmp_path):
    monkeypatch.setenv(MODELS_VARIABLE, str(tmp_path))
    monkeypatch.setenv("ROBOT_DESCRIPTIONS_CACHE", str(tmp_path))
    with pytest.raises(MissingDependencyError, match=r"mujoco_menagerie.*robosuite.*'plain'"):
        find_model(MujocoArmSettings(robot="panda"))
    with pytest.raises(ConfigError, match="does not exist"):
        find_model(MujocoArmSettings(robot="panda", model=str(tmp_path / "panda.xml")))
    (tmp_path / "other.xml").write_text("<mujoco/>")
    with pytest.raises(ConfigError, match="that are known"):
        find_model(MujocoArmSettings(robot="panda", model=str(tmp_path / "other.xml")))
    folder = tmp_path / "franka_emika_panda"
    folder.mkdir()
    (folder / "panda.xml").write_text("<mujoco/>")
    with pytest.raises(ConfigError, match="expected the hand 'hand'"):
        Bench("panda")


@pytest.mark.parametrize("robot", [name for name in ROBOTS if name not in ALWAYS])
def test_a_vendors_model_follows_where_there_is_one(robot):
    try:
        find_model(MujocoArmSettings(robot=robot))
    except MissingDependencyError as error:
        pytest.skip(str(error))
    bench = Bench(robot)
    assert np.abs(bench.run(0.5, position=bench.start).positions - bench.start).max() < 2e-3
    # Not far: Baxter's elbow is beside its torso.
    told = bench.start + 0.05 * np.sin(2.0 * 0.49)
    assert np.abs(bench.swing(0.5, amplitude=0.05).positions - told).max() < 0.1 / 30 * 1.5


def test_every_robot_starts_within_its_limits():
    for name, robot in ROBOTS.items():
        joints, start = load_limits(name).joints, np.array(robot.start_rad)
        assert (start > joints.lower + 0.05).all(), name
        assert (start < joints.upper - 0.05).all(), name


def test_rigs_name_their_arms():
    clock = lambda: 0  # noqa: E731
    rig = Rig(arm=ArmSettings(driver="mujoco"), mujoco_arm=MujocoArmSettings(robot="gen3"))
    assert make_arm(rig, clock=clock).joint_names == robot_limits(rig).joints.names
    kinematic = Rig(arm=ArmSettings(driver="kinematic"))
    arm = make_arm(kinematic, clock=clock)
    arm.stream_joints(np.full(7, 0.1), np.zeros(7))
    assert arm.state().positions[3] == pytest.approx(0.1)
    assert {"sawyer", "kinematic", "mujoco", "kinova"} <= set(ARMS)
    with pytest.raises(ConfigError, match=r"expected arm\.driver among"):
        make_arm(Rig(), clock=clock)


def test_a_simulated_sawyer_tilts_a_tray():
    rig = Rig(
        arm=ArmSettings(driver="mujoco", limits="sawyer"),
        guard=GuardSettings(speed_ratio=0.5, max_age_s=5.0, lag_s=5.0, deadman_s=2.0),
        mujoco_arm=MujocoArmSettings(robot="sawyer", held_tray=True, watchdog_s=2.0),
        tilt=TiltSettings(max_tilt_rad=0.2, ramp_s=0.9),
    )
    tray = open_tray(rig, clock=lambda: 0)
    assert np.abs(tray.read().rotation).max() < 0.02
    tray.close()
