import numpy as np
import pytest

from tiltbot_ros.sensors.camera_reconnect import Reconnector

NS = 1_000_000_000


class Clock:
    def __init__(self):
        self.now_s = 100.0

    def __call__(self):
        return round(self.now_s * NS)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def watch(clock):
    watch = Reconnector(stall_s=2.0, retry_max_s=10.0, monotonic=clock)
    watch.opened()
    return watch


def test_silence_is_borne_for_the_stall_time_and_counted(watch, clock):
    watch.came()
    for _ in range(9):
        clock.now_s += 0.2
        assert not watch.missed()
    clock.now_s += 0.21
    assert watch.missed()
    assert watch.misses == 10


def test_the_first_frame_may_take_longer(watch, clock):
    clock.now_s += 4.9
    assert not watch.missed()
    clock.now_s += 0.2
    assert watch.missed()


def test_pauses_double_up_to_the_longest(watch, clock):
    pauses = []
    for _ in range(7):
        watch.lost()
        pauses.append(watch.wait_s)
        clock.now_s += watch.wait_s
        assert watch.wait_s == 0.0
    assert np.allclose(pauses, [0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0])


def test_a_device_that_opens_and_stays_silent_is_tried_less_and_less(watch, clock):
    pauses = []
    for _ in range(3):
        watch.lost()
        pauses.append(watch.wait_s)
        clock.now_s += watch.wait_s
        watch.opened()
        clock.now_s += 6.0
        assert watch.missed()
    assert pauses == [0.5, 1.0, 2.0]
    assert watch.reconnects == 0


def test_frames_that_come_again_are_one_reconnection_and_shorten_the_pause(watch, clock):
    watch.came()
    watch.lost()
    clock.now_s += 0.5
    watch.lost()
    clock.now_s += 1.0
    watch.opened()
    assert (watch.state, watch.reconnects) == ("open", 0)
    watch.came()
    watch.came()
    assert watch.reconnects == 1
    watch.lost()
    assert watch.wait_s == pytest.approx(0.5)


def test_a_short_longest_pause_holds_from_the_start(clock):
    watch = Reconnector(stall_s=1.0, retry_max_s=0.1, monotonic=clock)
    watch.lost()
    assert watch.wait_s == pytest.approx(0.1)
