"""Keeps a simulated world at the pace of the wall clock."""

from collections.abc import Callable

_NS = 1_000_000_000


class Pacer:
    """Waits for the end of one period after another, by the monotonic clock.

    A process that was stopped or starved catches up period by period; when it
    lags by more than `max_lag_s`, it gives the lag up instead and says so.

    Args:
        period_ns: length of a period, as a fraction (numerator, denominator) [ns].
        monotonic: the monotonic clock [ns].
        sleep: sleeps for some seconds.
        max_lag_s: the largest lag that is caught up [s].
    """

    def __init__(
        self,
        *,
        period_ns: tuple[int, int],
        monotonic: Callable[[], int],
        sleep: Callable[[float], None],
        max_lag_s: float = 0.5,
    ) -> None:
        self._numerator, self._denominator = period_ns
        self._monotonic = monotonic
        self._sleep = sleep
        self._max_lag_ns = round(max_lag_s * _NS)
        self._start_ns = monotonic()
        self._periods = 0

    def wait(self) -> int:
        """Sleep until the next period is over; return how many periods were given up before it."""
        lag_ns = self._monotonic() - self._end_ns(self._periods + 1)
        skipped = 0
        if lag_ns > self._max_lag_ns:
            skipped = lag_ns * self._denominator // self._numerator
            self._periods += skipped
        self._periods += 1
        left_ns = self._end_ns(self._periods) - self._monotonic()
        if left_ns > 0:
            self._sleep(left_ns / _NS)
        return skipped

    def _end_ns(self, periods: int) -> int:
        return self._start_ns + periods * self._numerator // self._denominator


class FollowingTimebase:
    """Stamps the frames of a paced world, and follows when the ROS clock is set.

    Args:
        start_ns: acquisition time of frame 0 (ROS clock) [ns].
        sample_rate_hz: frames per second [Hz].
        step_s: a difference from the ROS clock that counts as a step of it [s].
    """

    def __init__(self, *, start_ns: int, sample_rate_hz: int, step_s: float = 0.6) -> None:
        self._start_ns = start_ns
        self._rate = sample_rate_hz
        self._step_ns = round(step_s * _NS)
        self.steps = 0

    def stamp_ns(self, frame: int) -> int:
        """Return the acquisition time (ROS clock) of a frame's running index [ns]."""
        return self._start_ns + (frame * _NS + self._rate // 2) // self._rate

    def follow(self, frame: int, now_ns: int) -> None:
        """Compare with the ROS clock.

        Args:
            frame: the running index that is acquired now.
            now_ns: the ROS clock [ns].
        """
        difference = now_ns - self.stamp_ns(frame)
        if abs(difference) > self._step_ns:
            self._start_ns += difference
            self.steps += 1
