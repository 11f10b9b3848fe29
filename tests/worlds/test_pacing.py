from tiltbot_ros.worlds.pacing import FollowingTimebase, Pacer

MS = 1_000_000


class Clock:
    def __init__(self) -> None:
        self.now_ns = 5_000

    def sleep(self, seconds: float) -> None:
        self.now_ns += round(seconds * 1e9)


def pacer(clock: Clock) -> Pacer:
    return Pacer(
        period_ns=(441 * 1_000_000_000, 44_100),
        monotonic=lambda: clock.now_ns,
        sleep=clock.sleep,
        max_lag_s=0.5,
    )


def test_a_pacer_keeps_the_pace_without_drift():
    clock = Clock()
    pace = pacer(clock)
    for _ in range(1000):
        assert pace.wait() == 0
        clock.now_ns += 3 * MS
    assert clock.now_ns == 5_000 + 1000 * 10 * MS + 3 * MS


def test_a_short_lag_is_caught_up_and_a_long_one_given_up():
    clock = Clock()
    pace = pacer(clock)
    pace.wait()
    clock.now_ns += 400 * MS
    assert sum(pace.wait() for _ in range(41)) == 0
    clock.now_ns += 1_200 * MS
    skipped = pace.wait()
    assert 118 <= skipped <= 120
    assert pace.wait() == 0


def test_stamps_follow_a_clock_that_is_set_and_ignore_small_lags():
    base = FollowingTimebase(start_ns=1_000 * MS, sample_rate_hz=1000)
    base.follow(500, 1_900 * MS)
    assert base.stamp_ns(500) == 1_500 * MS
    base.follow(1000, 62_000 * MS)
    assert base.steps == 1
    assert base.stamp_ns(1000) == 62_000 * MS
    assert base.stamp_ns(1100) == 62_100 * MS
