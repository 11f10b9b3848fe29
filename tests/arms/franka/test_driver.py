"""Motions, stalls, faults and lost connections of the driver; real franky, real sockets."""

import ctypes
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.arms.franka.conftest import CYCLE_S, PATIENT, Pilot
from tests.emulators.fci.process import Emulator
from tiltbot_ros.arms.franka.driver import FrankaArm
from tiltbot_ros.arms.franka.settings import FrankaSettings
from tiltbot_ros.arms.poses import pose_vector
from tiltbot_ros.errors import CommandError, DeviceError, MissingDependencyError

pytestmark = pytest.mark.realtime

FORTH = [0.002, 0, 0, 0, 0, 0]
BACK = [-0.002, 0, 0, 0, 0, 0]


def place(emulator):
    return emulator.tool()[:3, 3]


def test_connecting_moves_nothing_and_sets_what_the_rig_says(emulator, settings):
    forces = [21.0, 22.0, 23.0, 5.0, 6.0, 7.0]
    changed = {"collision_forces_n": forces, "load_kg": 0.2, "load_centre_m": [0.0, 0.0, 0.05]}
    before = place(emulator)
    pilot = Pilot(settings.model_copy(update=changed))
    pilot.fly(0.3)
    status = emulator.status()
    behaviour = np.array(status["settings"]["set_collision_behavior"])
    # Torques 4 x 7, forces 4 x 6: lower and upper while accelerating, lower and upper else.
    np.testing.assert_array_equal(behaviour[7:14], settings.collision_torques_nm)
    np.testing.assert_array_equal(behaviour[28:34], settings.contact_forces_n)
    np.testing.assert_array_equal(behaviour[-6:], forces)
    assert status["settings"]["set_load"][:4] == [0.2, 0.0, 0.0, 0.05]
    assert "move" in status["requests"]
    np.testing.assert_allclose(place(emulator), before, atol=1e-4)
    # libfranka gives the highest priority to the thread that connects; ours is not that one.
    assert os.sched_getscheduler(0) == os.SCHED_OTHER
    pilot.guarded.close()


def test_who_only_looks_leaves_the_robot_alone(emulator, settings):
    arm = FrankaArm(settings)
    arm.connect()
    for _ in range(5):
        assert arm.state().fault == ""
    assert not emulator.status()["moving"]
    emulator.ask("guide")  # and it can still be guided by hand
    emulator.until(lambda _: "guides" in arm.state().fault)
    arm.close()


def test_steps_at_30_hz_arrive_as_far_as_they_were_commanded(pilot, emulator):
    before = place(emulator)
    pilot.fly(2.0, FORTH)
    after = pilot.rest(emulator)
    np.testing.assert_allclose(after - before, [0.120, 0.0, 0.0], atol=2e-3)
    state = pilot.guarded.state
    assert state.fault == ""
    assert state.interruptions == 0
    np.testing.assert_allclose(state.tool.position, place(emulator), atol=1e-3)
    assert abs(state.stamp_ns - time.time_ns()) < 3e8
    status = emulator.status()
    assert status["steepest"] <= 1.0  # Nm from one cycle to the next
    assert status["errors"] == []


def test_a_turn_arrives_too(pilot, emulator):
    before = emulator.tool()
    pilot.fly(1.0, [0, 0, 0, 0, 0, 0.01])
    pilot.rest(emulator)
    turned = emulator.tool()[:3, :3] @ before[:3, :3].T
    assert np.arctan2(turned[1, 0], turned[0, 0]) == pytest.approx(0.3, abs=0.02)
    np.testing.assert_allclose(place(emulator), before[:3, 3], atol=5e-3)


def test_joints_are_followed_as_well(settings, emulator):
    pilot = Pilot(settings, space="joint")
    before = np.array(emulator.status()["q"])
    pilot.fly(1.0, [0, 0, 0, 0, 0, 0.01, 0])
    pilot.rest(emulator)
    moved = np.array(emulator.status()["q"]) - before
    np.testing.assert_allclose(moved, [0, 0, 0, 0, 0, 0.3, 0], atol=0.02)
    pilot.guarded.close()


def test_a_producer_that_stalls_is_stopped_within_the_deadman_and_a_cycle(pilot, emulator):
    pilot.fly(0.6, FORTH)
    references = pilot.fly(0.5)
    while emulator.status()["speed"] > 2e-3:
        references += pilot.fly(0.1)
    following = sum(reference.phase == "following" for reference in references)
    assert following * CYCLE_S <= 0.1 + CYCLE_S + 1e-9
    assert references[-1].phase == "holding"
    assert pilot.guarded.figures()["deadman stops"] == 1
    rest = references[-1].position
    np.testing.assert_allclose(place(emulator), rest[:3], atol=3e-3)
    # Nobody had to help: the driver's own watchdog did not bite.
    assert pilot.guarded.state.interruptions == 0


@pytest.mark.parametrize("stall", ["sleeps", "keeps Python's lock"])
def test_a_node_that_hangs_is_stopped_by_the_control_loop(settings, emulator, stall):
    pilot = Pilot(settings.model_copy(update={"watchdog_s": 0.25}))
    pilot.fly(0.8, FORTH)
    before = pilot.arm.interruptions
    begun_s, at = emulator.clock_s(), place(emulator)
    if stall == "sleeps":
        time.sleep(1.5)
    else:
        ctypes.PyDLL(None).usleep(1_500_000)
    path = emulator.path(begun_s)
    # It goes on until the reference is too old, and swings into the spring that holds it.
    way = np.abs(path[:, 2] - at[0]).max()
    assert way < 0.06 * 0.25 + 0.03
    swing = path[path[:, 1] > begun_s + 0.25 + 0.6]
    assert np.ptp(swing[:, 2]) < 0.01
    held = path[-1, 2]
    pilot.fly(CYCLE_S)
    assert pilot.guarded.state.interruptions == before + 1
    assert "the driver had stopped" in pilot.guarded.stream.reference.reason
    pilot.fly(0.5)
    # Nothing pulls it to where the node had last told it to be.
    assert abs(place(emulator)[0] - held) < 5e-3
    pilot.begin()
    pilot.fly(0.5, BACK)
    assert pilot.guarded.phase == "following"
    pilot.guarded.close()


NODE = """
import sys
from tests.arms.franka.conftest import Pilot
from tiltbot_ros.arms.franka.settings import FrankaSettings
pilot = Pilot(FrankaSettings.model_validate_json(sys.argv[1]))
pilot.fly(0.5, [0.002, 0, 0, 0, 0, 0])
print("flying", flush=True)
pilot.fly(60.0, [0.002, 0, 0, 0, 0, 0])
"""


def test_a_node_that_is_killed_leaves_a_standing_robot_that_can_be_recovered(settings, emulator):
    command = [sys.executable, "-c", NODE, settings.model_dump_json()]
    root = Path(__file__).parents[3]
    node = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root)
    assert node.stdout.readline() == "flying\n"
    node.kill()
    node.wait()
    node.stdout.close()
    status = emulator.until(lambda status: not status["moving"])
    assert status["reasons"] == ["communication_constraints_violation"]
    emulator.until(lambda status: status["speed"] == 0.0)
    pilot = Pilot(settings)  # connecting neither moves nor recovers it
    pilot.fly(CYCLE_S)
    assert "communication_constraints_violation" in pilot.guarded.figures()["reason"]
    pilot.guarded.recover()
    pilot.fly(0.2, np.zeros(6))
    assert pilot.guarded.state.fault == ""
    pilot.guarded.close()


def test_a_reflex_in_motion_is_a_fault_until_a_person_recovers(pilot, emulator):
    pilot.fly(0.6, FORTH)
    emulator.ask("reflex", reason="joint_reflex")
    pilot.until(lambda: pilot.guarded.phase == "fault")
    assert "joint_reflex" in pilot.guarded.figures()["reason"]
    emulator.until(lambda status: status["speed"] == 0.0)
    held = place(emulator)
    assert pilot.step(np.array(FORTH)) == "fault"
    pilot.fly(0.3, FORTH)
    np.testing.assert_allclose(place(emulator), held, atol=1e-6)
    pilot.guarded.recover()
    pilot.fly(0.3)
    # It stands where it was stopped, not where it was told to be before.
    np.testing.assert_allclose(place(emulator), held, atol=1e-3)
    pilot.begin()
    pilot.fly(1.0, BACK)
    assert pilot.rest(emulator)[0] - held[0] == pytest.approx(-0.06, abs=4e-3)


def test_a_push_moves_the_arm_as_its_stiffness_says_and_a_hard_one_stops_it(pilot, emulator):
    before = place(emulator)
    emulator.ask("push", force=[0.0, 12.0, 0.0])
    after = pilot.rest(emulator)
    assert pilot.guarded.state.fault == ""
    assert pilot.guarded.state.details["external force [N]"] == pytest.approx(12.0)
    # 12 N at 600 N/m; it is pushed at the wrist, not at the fingers.
    assert after[1] - before[1] == pytest.approx(0.02, rel=0.5)
    emulator.ask("push", force=[0.0, 31.0, 0.0])
    pilot.until(lambda: pilot.guarded.phase == "fault")
    assert "cartesian_reflex" in pilot.guarded.figures()["reason"]


def test_an_emergency_stop_in_motion_is_ended_by_a_person_only(pilot, emulator):
    pilot.fly(0.5, FORTH)
    emulator.ask("press")
    pilot.until(lambda: pilot.guarded.phase == "fault")
    assert pilot.guarded.state.stopped_by_hand
    assert "release" in pilot.guarded.figures()["reason"]
    with pytest.raises(DeviceError, match="release the emergency stop"):
        pilot.guarded.recover()
    emulator.ask("release")
    pilot.fly(0.1)
    assert pilot.guarded.phase == "fault"
    pilot.guarded.recover()
    pilot.fly(0.2, np.zeros(6))
    assert pilot.guarded.state.fault == ""


def test_somebody_who_guides_the_arm_by_hand_has_it(pilot, emulator):
    emulator.ask("guide")
    pilot.until(lambda: pilot.guarded.phase == "fault")
    assert "guides the robot by hand" in pilot.guarded.figures()["reason"]


def test_nan_never_reaches_the_library(pilot, emulator):
    for bad in (np.nan, np.inf):
        target = pilot.target.copy()
        assert pilot.step([bad, 0, 0, 0, 0, 0]) == "numbers"
        pilot.target = target
        with pytest.raises(DeviceError, match="finite"):
            pilot.arm.stream_pose(np.full(6, bad), np.zeros(6))
        with pytest.raises(DeviceError, match="finite"):
            pilot.arm.stream_joints(np.zeros(7), np.full(7, bad))
    pilot.fly(0.2, np.zeros(6))
    assert pilot.guarded.state.fault == ""
    assert emulator.status()["moving"]


def test_a_second_commander_is_refused(pilot):
    pilot.fly(0.2, FORTH)
    with pytest.raises(CommandError, match="'pilot' commands it"):
        pilot.guarded.take("policy", time.monotonic())
    reference = pilot.guarded.stream.reference.position
    pilot.fly(0.2, FORTH)
    assert pilot.guarded.stream.reference.position[0] > reference[0]


def test_lost_and_late_packets_are_survived_and_many_are_a_fault(pilot, emulator):
    before = place(emulator)
    for trouble in ({"drop": 8}, {"deaf": 8}, {"late": 5, "late_s": 0.02}):
        emulator.ask("set", **trouble)
        pilot.fly(0.4, FORTH)
    after = pilot.rest(emulator)
    assert pilot.guarded.state.fault == ""
    assert after[0] - before[0] == pytest.approx(0.072, abs=4e-3)
    assert emulator.status()["lost"] >= 8
    emulator.ask("set", deaf=25)
    pilot.until(lambda: pilot.guarded.phase == "fault")
    assert "communication_constraints_violation" in pilot.guarded.figures()["reason"]
    pilot.guarded.recover()
    pilot.fly(0.2, np.zeros(6))
    assert pilot.guarded.phase == "following"


def test_a_robot_that_falls_silent_is_told_and_recovered(pilot, emulator):
    pilot.fly(0.3, FORTH)
    emulator.ask("set", mute=True)
    begun_s = time.monotonic()
    with pytest.raises(DeviceError, match=r"no states for|is lost"):
        pilot.fly(5.0, FORTH)
    assert time.monotonic() - begun_s < 2.0
    assert pilot.guarded.phase == "fault"
    emulator.ask("set", mute=False)
    # The control loop may have lived through it, or not.
    time.sleep(0.3)
    pilot.guarded.recover()
    pilot.fly(0.2, np.zeros(6))
    assert pilot.guarded.phase == "following"


def dies(pilot, how):
    """Fly while a controller dies, and see that it is told in time."""
    pilot.fly(0.3, FORTH)
    how()
    begun_s = time.monotonic()
    with pytest.raises(DeviceError, match=r"is lost|no states for"):
        pilot.fly(5.0, FORTH)
    assert time.monotonic() - begun_s < 2.0
    assert pilot.guarded.phase == "fault"


def test_a_controller_that_is_killed_is_told_and_connected_anew():
    with Emulator() as emulator:
        pilot = Pilot(FrankaSettings(host=emulator.address, gripper=False, **PATIENT))
        dies(pilot, emulator.kill)
        with pytest.raises(DeviceError, match="no Franka controller at"):
            pilot.guarded.recover()
        with Emulator(address=emulator.address):
            pilot.guarded.recover()
            pilot.fly(0.2)
            pilot.begin()
            pilot.fly(0.3, FORTH)
            assert pilot.guarded.phase == "following"
            pilot.guarded.close()


def test_a_controller_that_hangs_is_told_and_holds_nobody_up(pilot, emulator):
    dies(pilot, emulator.hang)
    begun_s = time.monotonic()
    pilot.guarded.close()
    assert time.monotonic() - begun_s < 6.0


def test_closing_lets_the_robot_stand_and_a_second_connection_works(pilot, emulator):
    pilot.fly(0.5, FORTH)
    pilot.guarded.close()
    status = emulator.until(lambda status: not status["connected"])
    assert status["errors"] == []
    assert status["mode"] == 1  # idle, not stopped by a reflex
    assert status["speed"] < 0.05
    pilot.guarded.connect()
    assert pilot.guarded.state.fault == ""


def test_what_is_missing_is_named(settings, tmp_path, monkeypatch):
    (tmp_path / "franky.py").write_text("raise ImportError(\"No module named 'franky'\")\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "franky", raising=False)
    with pytest.raises(MissingDependencyError, match="pip install 'tiltbot"):
        FrankaArm(settings).connect()


def test_a_controller_that_is_not_there_is_told():
    arm = FrankaArm(FrankaSettings(host="127.99.99.99", **PATIENT))
    with pytest.raises(DeviceError, match=r"no Franka controller at 127.99.99.99.*Desk"):
        arm.connect()


def test_a_controller_of_another_version_is_told(emulator, settings):
    emulator.ask("set", version=9)
    with pytest.raises(DeviceError, match=r"expected a controller with FCI version 10"):
        FrankaArm(settings).connect()


@pytest.mark.skipif(Path("/sys/kernel/realtime").exists(), reason="has a real-time kernel")
def test_a_computer_without_a_real_time_kernel_is_told(settings):
    arm = FrankaArm(settings.model_copy(update={"realtime": "enforce"}))
    with pytest.raises(DeviceError, match=r"real-time.*franka.realtime"):
        arm.connect()


def test_a_robot_with_locked_joints_refuses_in_words(emulator, settings):
    emulator.ask("set", locked=True)
    arm = FrankaArm(settings)
    arm.connect()
    pose = pose_vector(arm.state().tool)
    assert arm.state().fault == ""
    arm.stream_pose(pose, np.zeros(6))
    assert "not possible" in arm.state().fault
    arm.close()


def test_a_controller_that_hangs_while_connecting_is_given_up(emulator, settings):
    emulator.hang()
    arm = FrankaArm(settings.model_copy(update={"connect_s": 0.5}))
    with pytest.raises(DeviceError, match=r"does not answer within 0.5 s"):
        arm.connect()
