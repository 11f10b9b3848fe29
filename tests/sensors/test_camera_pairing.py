import numpy as np

from tiltbot_ros.sensors.camera_pairing import FrameJudge
from tiltbot_ros.sensors.cameras import Tally

PERIOD_MS = 1000.0 / 30.0


class Bench:
    def __init__(self, rate_hz=30.0):
        self.tally = Tally()
        self.judge = FrameJudge(rate_hz=rate_hz, tally=self.tally)

    def good(self, number, color_ms, depth_ms):
        return self.judge.judge(number=number, color_ms=color_ms, depth_ms=depth_ms)

    def counts(self):
        tally = self.tally
        return tally.seen, tally.dropped, tally.unmatched, tally.disordered


def test_sets_of_one_colour_frame_give_one_good_set():
    # As librealsense's aggregator hands them on: one of the two is new.
    bench = Bench()
    found = []
    for number in range(50):
        now, before = number * PERIOD_MS, (number - 1) * PERIOD_MS
        found += [bench.good(number, now, before), bench.good(number, now, now)]
        found += [bench.good(number, now, now + PERIOD_MS)]
    assert found == [False, True, False] * 50
    assert bench.counts() == (50, 0, 0, 0)


def test_depth_may_lie_half_a_period_away_and_no_further():
    bench = Bench()
    assert bench.good(1, 0.0, 0.5 * PERIOD_MS)
    assert bench.good(2, PERIOD_MS, 0.5 * PERIOD_MS)
    assert not bench.good(3, 2 * PERIOD_MS, 2.6 * PERIOD_MS)
    assert not bench.good(4, 3 * PERIOD_MS, 2.4 * PERIOD_MS)
    assert bench.good(5, 4 * PERIOD_MS, 4 * PERIOD_MS)
    assert bench.counts() == (5, 0, 2, 0)


def test_missing_numbers_are_dropped_frames():
    bench = Bench()
    for number in (10, 11, 15, 16):
        assert bench.good(number, number * PERIOD_MS, number * PERIOD_MS)
    assert bench.counts() == (4, 3, 0, 0)


def test_a_frame_that_was_overtaken_is_left_out():
    bench = Bench()
    order = [1, 2, 4, 3, 5, 4, 6]
    found = [bench.good(n, n * PERIOD_MS, n * PERIOD_MS) for n in order]
    assert found == [True, True, True, False, True, False, True]
    assert bench.counts() == (5, 1, 0, 2)


def test_a_counter_that_begins_anew_is_no_disorder():
    bench = Bench()
    assert bench.good(90_000, 3_000_000.0, 3_000_000.0)
    assert bench.good(1, 3_000_033.3, 3_000_033.3)
    assert bench.good(2, 3_000_066.6, 3_000_066.6)
    assert bench.good(0, 12.0, 12.0)
    assert bench.counts() == (4, 0, 0, 0)


def test_a_clock_that_steps_back_is_no_disorder_while_the_numbers_grow():
    bench = Bench()
    assert bench.good(1, 5000.0, 5000.0)
    assert bench.good(2, 4700.0, 4700.0)
    assert bench.counts() == (2, 0, 0, 0)


def test_colour_alone_needs_no_partner():
    bench = Bench()
    assert [bench.good(n, n * PERIOD_MS, None) for n in (1, 1, 2)] == [True, False, True]
    assert bench.counts() == (2, 0, 0, 0)


def test_random_streams_never_give_a_set_twice_or_backwards():
    random = np.random.default_rng(8)
    for _ in range(200):
        bench = Bench()
        numbers = np.arange(60) + random.integers(-2, 3, 60)
        offsets = random.normal(0.0, 0.5 * PERIOD_MS, 60)
        taken = [
            int(n)
            for n, offset in zip(numbers, offsets, strict=True)
            if bench.good(int(n), n * PERIOD_MS, n * PERIOD_MS + offset)
        ]
        assert taken == sorted(set(taken))
        tally = bench.tally
        assert tally.seen - tally.unmatched - len(taken) in (0, 1)
