"""The driver and its side process, with an emulated SDK and robot; real processes, real sockets."""

import time

import numpy as np
import pytest

from tests.arms.sawyer.piloting import CYCLE_S, Pilot
from tests.emulators.sawyer.robot import NEUTRAL

pytestmark = pytest.mark.realtime


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
