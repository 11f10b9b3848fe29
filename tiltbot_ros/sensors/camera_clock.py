"""From the times that a camera gives its frames to the ROS clock."""

import statistics
import time
from collections import deque
from collections.abc import Callable
from typing import Literal, Protocol

from tiltbot_ros.sensors.cameras import Tally
from tiltbot_ros.sensors.clockfit import ClockBridge, ClockFit, ClockFitSettings

Domain = Literal["hardware_clock", "system_time", "global_time"]
"""Clocks of librealsense: the camera's own; the computer's, at arrival; the camera's, as the
library maps it to the computer's."""

_NS = 1_000_000_000
_NS_PER_MS = 1_000_000
_WRAP_US = 1 << 32
_FUTURE_NS = 20_000_000
_OLD_NS = _NS
_SAME_CLOCK_NS = 1_000_000
_DISTRUST_NS = 20 * _NS
_FIT = ClockFitSettings(skip_s=0.2, anchor_s=0.8, jitter_floor_s=5e-4)


class Stamps(Protocol):
    """Gives frames their stamps."""

    def stamp_ns(self, device_ms: float, domain: Domain, *, arrived_ns: int) -> int | None:
        """Return when a frame was acquired (ROS clock) [ns]; None while that is not known.

        Args:
            device_ms: the frame's own time [ms].
            domain: the clock that it is of.
            arrived_ns: when the frame arrived (monotonic clock) [ns].
        """


class LiveStamps:
    """Stamps of a camera that runs now.

    * `system_time` and `global_time` are the computer's clock. A time in the
      future, or more than a second old, is not believed: the frame is taken to be
      as old as frames usually are. After a step of the clock `global_time` is not
      believed for 20 s, as the library's own map needs that long to follow.
    * `hardware_clock` counts microseconds in 32 bits from the camera's start. A
      robust line (`ClockFit`) is laid through the frames' arrivals; the first
      second gives no stamps. The constant delay from exposure to arrival cannot
      be seen; `latency_s` is taken off.

    Args:
        clock: the ROS clock [ns].
        tally: where restamped frames and steps of the clock are counted.
        latency_s: from exposure to arrival [s].
        wall: the computer's clock [ns].
        monotonic: the monotonic clock [ns].
    """

    def __init__(
        self,
        *,
        clock: Callable[[], int],
        tally: Tally,
        latency_s: float = 0.0,
        wall: Callable[[], int] = time.time_ns,
        monotonic: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._clock = clock
        self._tally = tally
        self._wall = wall
        self._latency_ns = round(latency_s * _NS)
        self._bridge = ClockBridge(clock=clock, monotonic=monotonic)
        self._fit = ClockFit(sample_rate_hz=1_000_000, settings=_FIT)
        self._last_us: int | None = None
        self._wraps_us = 0
        self._ages_ns: deque[int] = deque(maxlen=31)
        self._distrust_until_ns = 0

    def stamp_ns(self, device_ms: float, domain: Domain, *, arrived_ns: int) -> int | None:
        """Return when a frame was acquired (ROS clock) [ns]; None while that is not known."""
        steps = self._bridge.steps
        now_ns = self._bridge.ros_ns(arrived_ns)
        if self._bridge.steps > steps:
            self._tally.clock_steps += self._bridge.steps - steps
            self._distrust_until_ns = arrived_ns + _DISTRUST_NS
        if domain == "hardware_clock":
            return self._fitted_ns(device_ms, arrived_ns)
        return self._believed_ns(device_ms, domain, now_ns=now_ns, arrived_ns=arrived_ns)

    def _believed_ns(
        self, device_ms: float, domain: Domain, *, now_ns: int, arrived_ns: int
    ) -> int:
        offset_ns = self._clock() - self._wall()
        stamp_ns = round(device_ms * _NS_PER_MS)
        stamp_ns += 0 if abs(offset_ns) < _SAME_CLOCK_NS else offset_ns
        age_ns = now_ns - stamp_ns
        followed = domain == "system_time" or arrived_ns >= self._distrust_until_ns
        if followed and -_FUTURE_NS <= age_ns <= _OLD_NS:
            self._ages_ns.append(age_ns)
            return stamp_ns
        self._tally.restamped += 1
        usual_ns = statistics.median_low(self._ages_ns) if self._ages_ns else self._latency_ns
        return now_ns - usual_ns

    def _fitted_ns(self, device_ms: float, arrived_ns: int) -> int | None:
        device_us = round(device_ms * 1000.0)
        last_us = self._last_us
        if last_us is not None and device_us < last_us:
            if last_us - device_us > _WRAP_US // 2:
                self._wraps_us += _WRAP_US
            else:  # the camera's clock began anew
                self._wraps_us = 0
                self._fit = ClockFit(sample_rate_hz=1_000_000, settings=_FIT)
        self._last_us = device_us
        frame = device_us + self._wraps_us
        self._fit.observe(frame, arrived_ns)
        if not self._fit.settled:
            return None
        return self._bridge.ros_ns(self._fit.host_ns(frame) - self._latency_ns)


class ReplayedStamps:
    """Stamps of a recording: the first frame is now, the others keep their distances.

    Args:
        clock: the ROS clock [ns].
    """

    def __init__(self, *, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._first_ms: float | None = None
        self._start_ns = 0

    def stamp_ns(self, device_ms: float, domain: Domain, *, arrived_ns: int) -> int:  # noqa: ARG002 the protocol's
        """Return when the frame would have been acquired, were it taken now [ns]."""
        if self._first_ms is None:
            self._first_ms = device_ms
            self._start_ns = self._clock()
        return self._start_ns + round((device_ms - self._first_ms) * _NS_PER_MS)
