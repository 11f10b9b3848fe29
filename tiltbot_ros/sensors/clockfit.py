"""When a frame was acquired: device frames against the host's clocks.

A sound card counts frames by its own crystal; the host sees, with jitter, when
chunks of them arrive. `ClockFit` follows the line between the two on the
monotonic clock, so that steps of the wall clock cannot bend it. `ClockBridge`
maps the monotonic clock to the ROS clock and notices its steps.
"""

import math
import statistics
from collections.abc import Callable

from pydantic import Field

from tiltbot_ros.settings import Settings

_NS = 1_000_000_000
_CLIP = 2.5
_ABS_TO_SIGMA = math.sqrt(math.pi / 2.0)


class ClockFitSettings(Settings):
    """How a device's clock is followed."""

    skip_s: float = Field(
        default=1.0,
        ge=0.0,
        le=30.0,
        description="sound ignored after a device is opened, while its times settle [s]",
    )
    anchor_s: float = Field(
        default=0.5,
        ge=0.0,
        le=30.0,
        description="sound after that whose median time anchors the line [s]",
    )
    rate_error_ppm: float = Field(
        default=100.0,
        gt=0.0,
        le=10_000.0,
        description="expected error of the device's rate, one standard deviation [ppm]",
    )
    rate_wander_ppm: float = Field(
        default=0.3,
        ge=0.0,
        le=1000.0,
        description="how far the rate wanders in one second, standard deviation [ppm]",
    )
    jitter_floor_s: float = Field(
        default=2e-5,
        gt=0.0,
        le=1.0,
        description="least jitter assumed of a host time, standard deviation [s]",
    )


class ClockFit:
    """The robust line of host time over frames, after a Kalman filter of two states.

    The states are the line's offset from nominal and its rate error. An
    observation more than 2.5 standard deviations off moves the line no further
    than one at 2.5 would; from there its pull fades, to nothing at 5 (Hampel's
    rule). The jitter estimate grows meanwhile, so a lasting change wins.

    Args:
        sample_rate_hz: nominal frames per second [Hz].
        settings: how the line is followed.

    Attributes:
        anchor_shift_s: how much later than the line before it the line lay when
            it was anchored anew [s].
    """

    def __init__(self, *, sample_rate_hz: int, settings: ClockFitSettings | None = None) -> None:
        self._rate = sample_rate_hz
        self._settings = settings or ClockFitSettings()
        self._anchored = False
        self._anchors = 0
        self.anchor_shift_s = 0.0
        self._first_frame: int | None = None
        self._anchor: list[tuple[int, int]] = []
        self._ref_frame = 0
        self._ref_ns = 0
        self._last_frame = 0
        self._offset_s = 0.0
        self._slope = 0.0
        self._variance = (0.0, 0.0, 0.0)
        self._sigma_s = self._settings.jitter_floor_s

    @property
    def settled(self) -> bool:
        """Whether the line is anchored and `host_ns` may be asked."""
        return self._anchored

    @property
    def jitter_s(self) -> float:
        """Standard deviation of the observed host times about the line [s]."""
        return self._sigma_s

    @property
    def rate_error_ppm(self) -> float:
        """How much slower than nominal the device runs [ppm]; negative when it is faster."""
        return self._slope * 1e6

    def host_ns(self, frame: int) -> int:
        """Return the monotonic time at which a frame was acquired [ns]."""
        ahead_s = (frame - self._last_frame) / self._rate
        return self._nominal_ns(frame) + round((self._offset_s + self._slope * ahead_s) * _NS)

    def residual_s(self, frame: int, host_ns: int) -> float:
        """Return how much later than the line says a frame was seen [s]."""
        return (host_ns - self.host_ns(frame)) / _NS

    def observe(self, frame: int, host_ns: int) -> None:
        """Take in that a frame was seen at a monotonic time.

        Args:
            frame: running index of the frame; never smaller than the last one.
            host_ns: monotonic time of its acquisition, with jitter [ns].
        """
        if self._anchored:
            self._update(frame, host_ns)
            return
        if self._first_frame is None:
            self._first_frame = frame
        since_s = (frame - self._first_frame) / self._rate
        if since_s < self._settings.skip_s:
            return
        self._anchor.append((frame, host_ns))
        if since_s >= self._settings.skip_s + self._settings.anchor_s:
            self._set_anchor()

    def unsettle(self) -> None:
        """Ask for a new anchor, as the device was opened anew; the rate error is kept."""
        self._anchored = False
        self._first_frame = None
        self._anchor.clear()

    def shift(self, seconds: float, *, doubt_s: float) -> None:
        """Move the whole line [s], and doubt its place by a standard deviation [s]."""
        self._offset_s += seconds
        self._variance = (self._variance[0] + doubt_s**2, 0.0, self._variance[2])

    def skip_frames(self, frames: int) -> None:
        """Count some frames more: what was frame n on the line is now n + frames."""
        self._ref_frame += frames
        self._last_frame += frames

    def _nominal_ns(self, frame: int) -> int:
        return self._ref_ns + (frame - self._ref_frame) * _NS // self._rate

    def _set_anchor(self) -> None:
        last_frame, last_ns = self._anchor[-1]
        expected_ns = self.host_ns(last_frame)
        self._ref_frame, self._ref_ns = last_frame, last_ns
        self._last_frame = last_frame
        late = [
            (host_ns - self._nominal_ns(frame)) / _NS
            - self._slope * (frame - self._ref_frame) / self._rate
            for frame, host_ns in self._anchor
        ]
        self._offset_s = statistics.median(late)
        spread = statistics.median(abs(value - self._offset_s) for value in late)
        self._sigma_s = max(1.48 * spread, self._settings.jitter_floor_s)
        slope_sd = self._settings.rate_error_ppm * 1e-6
        offset_variance = (1.25 * self._sigma_s) ** 2 / len(late)
        offset_variance += (slope_sd * self._settings.anchor_s / 2.0) ** 2
        self._variance = (offset_variance, 0.0, slope_sd**2)
        self._anchor.clear()
        self._anchored = True
        if self._anchors:
            self.anchor_shift_s = (self.host_ns(last_frame) - expected_ns) / _NS
        self._anchors += 1

    def _update(self, frame: int, host_ns: int) -> None:
        step_s = (frame - self._last_frame) / self._rate
        self._last_frame = frame
        self._offset_s += self._slope * step_s
        p00, p01, p11 = self._variance
        p00 += step_s * (2.0 * p01 + step_s * p11)
        p01 += step_s * p11
        p11 += (self._settings.rate_wander_ppm * 1e-6) ** 2 * step_s
        innovation = (host_ns - self._nominal_ns(frame)) / _NS - self._offset_s
        noise = self._sigma_s**2
        total = p00 + noise
        bound = _CLIP * math.sqrt(total)
        clipped = max(-bound, min(bound, innovation))
        pull = clipped * max(0.0, min(1.0, 2.0 - abs(innovation) / bound))
        gain_offset, gain_slope = p00 / total, p01 / total
        self._offset_s += gain_offset * pull
        self._slope += gain_slope * pull
        self._variance = (
            p00 * (1.0 - gain_offset),
            p01 * (1.0 - gain_offset),
            p11 - gain_slope * p01,
        )
        # A clipped value, so that one late chunk does not widen the line for long.
        seen = _ABS_TO_SIGMA * abs(clipped)
        self._sigma_s = max(
            self._sigma_s + 0.01 * (seen - self._sigma_s), self._settings.jitter_floor_s
        )


class ClockBridge:
    """Maps the monotonic clock to the ROS clock and counts the ROS clock's steps.

    Args:
        clock: the ROS clock [ns].
        monotonic: the monotonic clock [ns].
        refresh_s: how often the two are compared [s].
        step_s: a change between two comparisons that counts as a step [s]. A
            slewed clock changes by at most 500 ppm, 0.05 ms in 0.1 s.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], int],
        monotonic: Callable[[], int],
        refresh_s: float = 0.1,
        step_s: float = 0.005,
    ) -> None:
        self._clock = clock
        self._monotonic = monotonic
        self._refresh_ns = round(refresh_s * _NS)
        self._step_ns = round(step_s * _NS)
        self._offset_ns, self._compared_ns = self._compare()
        self.steps = 0
        self.last_step_ns = 0

    def ros_ns(self, host_ns: int) -> int:
        """Return the ROS time of a monotonic time [ns]."""
        if self._monotonic() - self._compared_ns >= self._refresh_ns:
            before = self._offset_ns
            self._offset_ns, self._compared_ns = self._compare()
            if abs(self._offset_ns - before) > self._step_ns:
                self.steps += 1
                self.last_step_ns = self._offset_ns - before
        return host_ns + self._offset_ns

    def _compare(self) -> tuple[int, int]:
        """Return ROS minus monotonic time and when that was [ns], the tightest of five."""
        readings = []
        for _ in range(5):
            before = self._monotonic()
            ros = self._clock()
            after = self._monotonic()
            readings.append((after - before, ros - (before + after) // 2, after))
        _, offset, when = min(readings)
        return offset, when
