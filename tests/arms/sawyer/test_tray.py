"""A tray in Sawyer's hand: driver, side process and robot as in test_driver.py."""

import time

import numpy as np
import pytest

from tiltbot_ros.arms.drivers import open_tray
from tiltbot_ros.arms.held_settings import HeldTraySettings
from tiltbot_ros.arms.tilts import TiltMotion
from tiltbot_ros.errors import DeviceError
from tiltbot_ros.rigs import load_rig

pytestmark = pytest.mark.realtime

LEVEL = HeldTraySettings().level_joints_rad
RIG = load_rig("sawyer")


def opened(settings):
    changes = {
        "held": RIG.held.model_copy(update={"approach_rad_s": 1.0}),
        "sawyer": settings.model_copy(update={"robot_speed_ratio": RIG.sawyer.robot_speed_ratio}),
    }
    return open_tray(RIG.model_copy(update=changes), clock=time.time_ns)


@pytest.fixture
def tray(bus, settings):
    bus.robot.positions = [at + 0.1 for at in LEVEL]
    bus.robot.target = list(bus.robot.positions)
    driver = opened(settings)
    yield driver
    driver.close()


def tilt(tray, action, until_s=None):
    """Carry out a tilt as the tray's node does; return (time, reference, reading)."""
    motion = TiltMotion(action, RIG.tilt)
    begun, out = time.monotonic(), []
    while (t := time.monotonic() - begun) < (until_s or motion.duration_s):
        reference = motion.reference(t)
        tray.command(reference)
        out.append((t, reference, tray.read()))
        if tray.fault:
            break
        time.sleep(0.01)
    return out


def test_the_tray_comes_level_by_itself_from_near(tray, bus):
    np.testing.assert_allclose(bus.robot.positions, LEVEL, atol=0.02)
    np.testing.assert_allclose(tray.read().rotation, 0.0, atol=0.05)
    assert tray.fault == ""


def test_a_tilt_is_followed_and_measured_from_the_joints(tray, bus):
    run = tilt(tray, (0.8, -0.6))
    held = [reading.rotation for t, _, reading in run if 1.3 < t < 2.0]
    np.testing.assert_allclose(np.mean(held, axis=0), [0.36, -0.27, 0.0], atol=0.01)
    end = time.monotonic() + 5.0
    while np.abs(tray.read().rotation).max() > 0.005:
        assert time.monotonic() < end
        tray.command(np.zeros(2))
        time.sleep(0.01)
    assert run[-1][2].joint_names[0] == "right_j0"


def test_a_node_that_hangs_in_a_tilt_comes_level_afterwards(tray, bus):
    tilt(tray, (1.0, 0.0), until_s=1.2)
    time.sleep(1.0)  # nobody ticks; the tilt that was under way is over by then
    end = time.monotonic() + 10.0
    while np.abs(tray.read().rotation).max() > 0.01:
        assert time.monotonic() < end, tray.figures()
        tray.command(np.zeros(2))
        time.sleep(0.01)
    assert tray.fault == ""
    assert tray.figures()["stops of the side process"] >= 1


def test_far_from_level_a_person_has_to_bring_it_near(bus, settings):
    with pytest.raises(DeviceError, match=r"right_j\d is .* rad away: bring"):
        opened(settings)
    # A robot that has just been found may not hear the command to hold.
    commanded = np.reshape([positions for _, positions in bus.robot.commands], (-1, 7))
    assert np.abs(commanded - bus.robot.positions).max(initial=0.0) < 1e-6


def test_an_emergency_stop_in_a_tilt_is_recovered_to_level(tray, bus):
    tilt(tray, (1.0, 0.0), until_s=0.7)
    bus.robot.press()
    run = tilt(tray, (1.0, 0.0))
    assert "emergency stop" in tray.fault
    assert len(run) < 100
    with pytest.raises(DeviceError, match="turn the button"):
        tray.recover()
    bus.robot.release()
    time.sleep(0.2)
    tray.recover()
    assert tray.fault == ""
    np.testing.assert_allclose(bus.robot.positions, LEVEL, atol=0.02)
    held = [reading.rotation[0] for t, _, reading in tilt(tray, (0.5, 0.0)) if 1.3 < t < 2.0]
    assert np.mean(held) == pytest.approx(0.225, abs=0.01)
