"""Node, side process and their connection: each hangs, is killed, or breaks in a motion."""

import signal
import socket
import subprocess
import sys
import time

import numpy as np
import pytest

from tests.arms.sawyer.piloting import ended, settle, speeds, until
from tiltbot_ros.errors import DeviceError

pytestmark = pytest.mark.realtime


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
from tests.arms.sawyer.piloting import Pilot
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
