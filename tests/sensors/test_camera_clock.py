import numpy as np
import pytest

from tiltbot_ros.sensors.camera_clock import LiveStamps, ReplayedStamps
from tiltbot_ros.sensors.cameras import Tally

NS = 1_000_000_000
EPOCH_S = 1_750_000_000


class World:
    """A computer whose clock can be stepped, and a camera with a clock of its own."""

    def __init__(self, *, drift_ppm=0.0, camera_start_s=0.0):
        self.mono_s = 1000.0
        self.step_s = 0.0
        self.sim_s = 0.0
        self.drift = 1.0 + drift_ppm * 1e-6
        self.camera_start_s = camera_start_s
        self.tally = Tally()
        self.stamps = LiveStamps(
            clock=lambda: self.wall() + round(self.sim_s * NS),
            tally=self.tally,
            wall=self.wall,
            monotonic=lambda: round(self.mono_s * NS),
        )

    def wall(self):
        return EPOCH_S * NS + round((self.mono_s + self.step_s) * NS)

    def wall_ms(self, at_s):
        return EPOCH_S * 1e3 + (at_s + self.step_s) * 1e3

    def camera_ms(self, at_s):
        since_us = round((self.camera_start_s + at_s - 1000.0) * self.drift * 1e6)
        return (since_us % (1 << 32)) / 1e3

    def ros_ns(self, at_s):
        return EPOCH_S * NS + round((at_s + self.step_s + self.sim_s) * NS)

    def frame(self, domain, *, taken_s, age_s, device_ms=None):
        self.mono_s = taken_s + age_s
        if device_ms is None:
            hardware = domain == "hardware_clock"
            device_ms = self.camera_ms(taken_s) if hardware else self.wall_ms(taken_s)
        return self.stamps.stamp_ns(device_ms, domain, arrived_ns=round(self.mono_s * NS))


@pytest.mark.parametrize("domain", ["system_time", "global_time"])
def test_times_of_the_computers_clock_are_kept(domain):
    world = World()
    for k in range(60):
        taken_s = 1000.0 + k / 6
        stamp = world.frame(domain, taken_s=taken_s, age_s=0.03 + 0.01 * (k % 3))
        assert stamp == pytest.approx(world.ros_ns(taken_s), abs=1000)
    assert world.tally.restamped == 0


def test_another_ros_clock_is_mapped():
    world = World()
    world.sim_s = -5000.0
    stamp = world.frame("system_time", taken_s=1001.0, age_s=0.04)
    assert stamp == pytest.approx(world.ros_ns(1001.0), abs=1000)


@pytest.mark.parametrize("wrong_s", [-400.0, -1.5, 0.1, 86_400.0])
def test_a_time_that_cannot_be_is_replaced_by_the_usual_age(wrong_s):
    world = World()
    for k in range(20):
        world.frame("global_time", taken_s=1000.0 + k / 6, age_s=0.05)
    wrong_ms = world.wall_ms(1005.0 + wrong_s)
    stamp = world.frame("global_time", taken_s=1005.0, age_s=0.05, device_ms=wrong_ms)
    assert stamp == pytest.approx(world.ros_ns(1005.0), abs=1e5)
    assert world.tally.restamped == 1


@pytest.mark.parametrize("step_s", [-30.0, -0.4, 0.4, 3600.0])
def test_after_a_step_of_the_clock_the_librarys_map_is_not_believed_until_it_has_followed(step_s):
    world = World()
    for k in range(30):
        world.frame("global_time", taken_s=1000.0 + k / 6, age_s=0.05)
    world.step_s = step_s
    errors = []
    for k in range(30, 300):
        taken_s = 1000.0 + k / 6
        since_s = (k - 30) / 6
        # The library's regression over its last samples crosses over within 15 s.
        lag_s = -step_s * max(0.0, 1.0 - since_s / 15.0)
        device_ms = world.wall_ms(taken_s + lag_s)
        stamp = world.frame("global_time", taken_s=taken_s, age_s=0.05, device_ms=device_ms)
        errors.append(abs(stamp - world.ros_ns(taken_s)) / NS)
    assert world.tally.clock_steps == 1
    assert max(errors) < 0.001
    assert world.tally.restamped == pytest.approx(120, abs=2)


def test_the_cameras_own_clock_is_followed_through_drift_jitter_and_wraps():
    # It starts 20 s before its 32-bit counter of microseconds wraps.
    world = World(drift_ppm=150.0, camera_start_s=(1 << 32) / 1e6 - 20.0)
    random = np.random.default_rng(2)
    errors, none = [], 0
    for k in range(1800):
        taken_s = 1000.0 + k / 30
        age_s = 0.04 + random.exponential(0.004) + (0.15 if k % 97 == 0 else 0.0)
        stamp = world.frame("hardware_clock", taken_s=taken_s, age_s=age_s)
        if stamp is None:
            none += 1
        elif k > 300:
            errors.append((stamp - world.ros_ns(taken_s)) / NS)
    assert none == pytest.approx(30, abs=2)
    # The delay to arrival cannot be seen; all else is within 4 ms.
    assert np.median(errors) == pytest.approx(0.043, abs=0.003)
    assert np.ptp(errors) < 0.004


def test_a_known_latency_is_taken_off():
    world = World()
    world.stamps = LiveStamps(
        clock=world.wall,
        tally=world.tally,
        latency_s=0.04,
        wall=world.wall,
        monotonic=lambda: round(world.mono_s * NS),
    )
    stamps = [
        (world.frame("hardware_clock", taken_s=1000.0 + k / 30, age_s=0.04), 1000.0 + k / 30)
        for k in range(90)
    ]
    stamp, taken_s = stamps[-1]
    assert stamp == pytest.approx(world.ros_ns(taken_s), abs=200_000)


def test_a_camera_that_was_reset_is_followed_anew():
    world = World(camera_start_s=100.0)
    for k in range(90):
        world.frame("hardware_clock", taken_s=1000.0 + k / 30, age_s=0.04)
    world.camera_start_s = -3.0
    found = []
    for k in range(90, 180):
        taken_s = 1000.0 + k / 30
        stamp = world.frame("hardware_clock", taken_s=taken_s, age_s=0.04)
        found.append(None if stamp is None else stamp - world.ros_ns(taken_s))
    assert found[0] is None
    assert found[-1] == pytest.approx(0.04 * NS, abs=1e6)


def test_a_recording_is_moved_to_now_with_its_distances_kept():
    now = [EPOCH_S * NS]
    stamps = ReplayedStamps(clock=lambda: now[0])
    found = []
    for ms in (5_000_000.0, 5_000_166.667, 5_000_333.333):
        found.append(stamps.stamp_ns(ms, "hardware_clock", arrived_ns=0))
        now[0] += NS
    assert [stamp - EPOCH_S * NS for stamp in found] == [0, 166_667_000, 333_333_000]
