"""The Kinova driver over DDS, with the emulated Gen3 in a process of its own."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.emulators.kortex.process import ROOT, KortexProcess
from tiltbot_ros.arms.commands import Command
from tiltbot_ros.arms.drivers import ArmSettings, make_arm, robot_limits
from tiltbot_ros.arms.guard import GuardedArm, GuardSettings
from tiltbot_ros.arms.kinova.driver import KinovaArm
from tiltbot_ros.arms.kinova.settings import KinovaSettings
from tiltbot_ros.doctor import kinova
from tiltbot_ros.doctor.findings import Needs
from tiltbot_ros.errors import DeviceError, MissingDependencyError
from tiltbot_ros.nodes.kortex_link import RosKortexLink, interface
from tiltbot_ros.rigs import Rig, load_rig

pytestmark = pytest.mark.graph

# A busy machine is no fault of the robot.
PATIENT = {"start_s": 30.0, "state_timeout_s": 1.5, "blind_s": 0.25, "latency_s": 0.2}


@pytest.fixture
def gen3(ros_environment):
    with KortexProcess(rate_hz=100.0) as process:
        yield process


def fly(guarded, seconds):
    """Swing joint 6 at 20 Hz."""
    guarded.take("test", time.monotonic())
    start, begun_s, due_s = guarded.state.positions.copy(), time.monotonic(), time.monotonic()
    while (t := time.monotonic() - begun_s) < seconds:
        position, velocity = start.copy(), np.zeros(7)
        position[5] += 0.2 * np.sin(t)
        velocity[5] = 0.2 * np.cos(t)
        guarded.offer(
            Command(
                commander="test",
                sequence=time.monotonic_ns(),
                stamp_ns=time.time_ns(),
                position=position,
                velocity=velocity,
            ),
            now_s=time.monotonic(),
            now_ns=time.time_ns(),
        )
        guarded.tick(time.monotonic())
        due_s += 0.05
        time.sleep(max(0.0, due_s - time.monotonic()))


def test_the_arm_moves_over_dds_and_is_connected_again_after_ros2_kortex_was_killed(gen3):
    rig = Rig(
        arm=ArmSettings(driver="kinova", rate_hz=20.0),
        kinova=KinovaSettings(gripper="topic", **PATIENT),
    )
    arm = make_arm(rig, clock=time.time_ns)
    patient = GuardSettings(deadman_s=1.0, max_age_s=1.0, lag_s=5.0, speed_ratio=0.5)
    guarded = GuardedArm(arm, robot_limits(rig), patient)
    guarded.connect()
    try:
        fly(guarded, 2.0)
        arm.gripper.move(0.03, speed_m_s=0.1)
        fly(guarded, 1.0)
        told = gen3.tell()
        assert told["taken"] > 20
        assert not told["fault"]
        assert abs(told["q"][5] + 1.2035) > 0.05
        assert told["gripper"] > 0.1
        assert abs(guarded.state.stamp_ns - time.time_ns()) < 2e9

        gen3.kill()
        with pytest.raises(DeviceError, match=r"no joint states|activate joint_trajectory"):
            fly(guarded, 10.0)
        assert guarded.phase == "fault"
        guarded.close()
        with KortexProcess(rate_hz=100.0) as again:
            guarded.connect()
            fly(guarded, 1.5)
            assert again.tell()["taken"] > 5
    finally:
        guarded.close()


DRIVER = """
import sys, time
import numpy as np
from tiltbot_ros.arms.kinova.settings import KinovaSettings
from tiltbot_ros.nodes.kortex_link import RosKortexLink
link = RosKortexLink(KinovaSettings(mode="twist", start_s=30.0, twist_watchdog_s=1.0))
link.open(timeout_s=30.0)
print(link._guard.pid, flush=True)
while True:
    link.send_twist(np.array([0.02, 0, 0, 0, 0, 0.05]))
    time.sleep(0.05)
"""


def twists(process, condition, timeout_s=20.0, meanwhile=lambda: None):
    """Ask until what has come fulfils a condition."""
    end_s = time.monotonic() + timeout_s
    while True:
        meanwhile()
        heard = [twist for _, twist in process.tell()["twists"]]
        if condition(heard):
            return heard
        assert time.monotonic() < end_s, heard[-5:]
        time.sleep(0.1)


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGSTOP])
def test_velocities_end_in_zero_however_the_driver_ends(ros_environment, ending):
    with KortexProcess(controller="twist", rate_hz=50.0) as process:
        driver = subprocess.Popen(
            [sys.executable, "-c", DRIVER],
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        try:
            guard = int(driver.stdout.readline())
            heard = twists(process, lambda t: len(t) > 3 and any(t[-1]))
            # Metres and degrees a second, as Kortex takes them.
            np.testing.assert_allclose(heard[-1], [0.02, 0, 0, 0, 0, np.rad2deg(0.05)])
            driver.send_signal(ending)
            twists(process, lambda t: not any(t[-1]) and not any(t[-2]))
            if ending != signal.SIGSTOP:
                end_s = time.monotonic() + 10.0
                while Path(f"/proc/{guard}").exists() and time.monotonic() < end_s:
                    time.sleep(0.05)
                assert not Path(f"/proc/{guard}").exists()
        finally:
            driver.kill()
            driver.wait()
            driver.stdout.close()


def test_zero_is_sent_when_the_guard_of_the_velocities_is_killed(ros_environment):
    with KortexProcess(controller="twist", rate_hz=50.0) as process:
        link = RosKortexLink(KinovaSettings(mode="twist", **PATIENT))
        link.open(timeout_s=30.0)
        try:
            forward = np.array([0.02, 0, 0, 0, 0, 0])
            twists(
                process,
                lambda t: any(map(any, t)),
                meanwhile=lambda: link.send_twist(forward),
            )
            link._guard.kill()
            link._guard.wait()
            with pytest.raises(DeviceError, match="zero was sent"):
                link.send_twist(forward)
            twists(process, lambda t: not any(t[-1]))
        finally:
            link.close()


def test_a_guard_that_is_heard_before_it_is_asked_is_connected(ros_environment, monkeypatch):
    class Late(subprocess.Popen):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            time.sleep(3.0)

    with KortexProcess(controller="twist", rate_hz=50.0):
        monkeypatch.setattr(subprocess, "Popen", Late)
        link = RosKortexLink(KinovaSettings(mode="twist", **PATIENT))
        link.open(timeout_s=10.0)
        link.close()


def test_nothing_there_and_things_missing_are_named(ros_environment):
    arm = KinovaArm(KinovaSettings(start_s=1.0), RosKortexLink(KinovaSettings()))
    with pytest.raises(
        DeviceError, match=r"joint_1 .. joint_7 on /joint_states.*start ros2_kortex"
    ):
        arm.connect()
    if interface("control_msgs", "action", "GripperCommand") is None:
        with pytest.raises(MissingDependencyError, match=r"control_msgs.*'topic'"):
            RosKortexLink(KinovaSettings(gripper="action"))


def test_the_doctor_examines_the_controllers_and_names_what_is_missing(
    ros_environment, monkeypatch
):
    rig = load_rig("kinova")
    needs = Needs(
        rig="kinova",
        simulated=False,
        microphones=rig.microphones,
        camera=rig.camera,
        out=Path(),
        disk_floor_bytes=0,
        arm=rig.arm,
        kinova=rig.kinova,
    )
    with KortexProcess(rate_hz=100.0):
        found = {finding.name: finding for finding in kinova.examine(needs)}
        assert {finding.status for finding in found.values()} <= {"ok", "warn"}, found
        assert "Hz on /joint_states" in found["joint states"].text
        assert {"messages", "limits", "controller", "gripper", "joints", "its clock"} <= set(found)
    monkeypatch.setattr(kinova, "DISCOVERY_S", 1.0)
    found = {finding.name: finding for finding in kinova.examine(needs)}
    assert found["joint states"].status == found["controller"].status == "fail"
    assert "start ros2_kortex" in found["joint states"].advice
