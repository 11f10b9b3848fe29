import numpy as np
import pytest

from tiltbot_ros.arms.kinematic import KinematicSettings, KinematicTray
from tiltbot_ros.arms.tray import FollowMonitor, FollowSettings, TrayReading
from tiltbot_ros.errors import DeviceError


def reading(x: float) -> TrayReading:
    return TrayReading(
        stamp_ns=0,
        rotation=np.array([x, 0.0, 0.0]),
        joint_names=(),
        joint_positions=np.zeros(0),
        joint_velocities=np.zeros(0),
    )


def test_a_tray_that_lags_for_a_moment_is_fine_and_one_that_stays_away_is_not():
    monitor = FollowMonitor(FollowSettings(follow_tolerance_rad=0.1, follow_time_s=0.5))
    target = np.array([0.3, 0.0])
    monitor.check(target, reading(0.0), 0.0)
    monitor.check(target, reading(0.0), 0.4)
    monitor.check(target, reading(0.25), 0.45)
    monitor.check(target, reading(0.0), 0.9)
    with pytest.raises(DeviceError, match="does not follow"):
        monitor.check(target, reading(0.0), 1.41)


def test_a_reading_that_is_not_a_number_counts_as_not_following():
    monitor = FollowMonitor(FollowSettings(follow_time_s=0.1))
    monitor.check(np.zeros(2), reading(float("nan")), 0.0)
    with pytest.raises(DeviceError):
        monitor.check(np.zeros(2), reading(float("nan")), 0.2)


def test_the_tray_without_physics_moves_at_its_rate_and_arrives():
    now = [0]
    tray = KinematicTray(KinematicSettings(rate_rad_s=1.0), lambda: now[0])
    tray.command(np.array([0.3, 0.4]))
    now[0] = 250_000_000
    state = tray.read()
    np.testing.assert_allclose(state.rotation, [0.15, 0.2, 0.0])
    assert np.linalg.norm(state.joint_velocities) == pytest.approx(1.0)
    now[0] = 2_000_000_000
    np.testing.assert_allclose(tray.read().rotation, [0.3, 0.4, 0.0])
