"""Follows a real device: fits its clock and finds the holes that it does not count."""

import statistics
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydantic import Field

from tiltbot_ros.sensors.blocker import AudioBlocker
from tiltbot_ros.sensors.clockfit import ClockBridge, ClockFit
from tiltbot_ros.settings import Settings


class FollowerSettings(Settings):
    """When a late chunk is a hole."""

    hole_floor_s: float = Field(
        default=0.01,
        gt=0.0,
        le=1.0,
        description="least lateness of a chunk that makes one look for a hole [s]",
    )
    hole_sigmas: float = Field(
        default=6.0,
        gt=0.0,
        le=100.0,
        description="lateness, in standard deviations of the jitter, that does so too",
    )
    hole_window_s: float = Field(
        default=0.1,
        gt=0.0,
        le=1.0,
        description="sound held back while it is decided how long a hole is [s]",
    )
    hole_window_max_s: float = Field(
        default=0.5, gt=0.0, le=5.0, description="longest that sound is held back for that [s]"
    )


class FittedTimebase:
    """Stamps from the line that follows a device's clock.

    Args:
        fit: frames to monotonic time.
        bridge: monotonic to ROS time.
    """

    def __init__(self, *, fit: ClockFit, bridge: ClockBridge) -> None:
        self._fit = fit
        self._bridge = bridge

    def stamp_ns(self, frame: int) -> int:
        """Return the acquisition time (ROS clock) of a frame's running index [ns]."""
        return self._bridge.ros_ns(self._fit.host_ns(frame))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Held:
    samples: npt.NDArray[np.generic]
    host_ns: int
    late_s: float


class StreamFollower:
    """Feeds a blocker from a device, with every loss of frames as a hole.

    A chunk that comes late is held back together with those after it. If the
    lateness vanishes, the computer was busy and nothing is lost. If it stays
    for as long as the device could have buffered, that many frames are lost.
    A flag from the device starts the same look without lateness.

    Args:
        blocker: gets the frames; its timebase is the fit below.
        fit: the device's clock.
        sample_rate_hz: frames per second [Hz].
        settings: when a late chunk is a hole.
    """

    def __init__(
        self,
        *,
        blocker: AudioBlocker,
        fit: ClockFit,
        sample_rate_hz: int,
        settings: FollowerSettings | None = None,
    ) -> None:
        self._blocker = blocker
        self._fit = fit
        self._rate = sample_rate_hz
        self._settings = settings or FollowerSettings()
        self._held: list[_Held] = []
        self._held_frames = 0
        self._flagged = False
        self._window_s = 0.0
        self._unsettled_frames = 0
        self.early_shifts = 0

    def push(
        self,
        samples: npt.NDArray[np.generic],
        *,
        host_ns: int,
        lost_frames: int = 0,
        overflow: bool = False,
    ) -> None:
        """Take in one chunk.

        Args:
            samples: (frames, channels), as `AudioBlocker.push`.
            host_ns: monotonic time of its first frame's acquisition, with jitter [ns].
            lost_frames: frames before this chunk that are known to be lost.
            overflow: the device says that it lost frames, not how many.
        """
        if overflow:
            self._blocker.xruns += 1
        if lost_frames:
            self._decide()
            self._skip(lost_frames)
        if not self._fit.settled:
            self._settle(len(samples), host_ns)
            return
        frame = self._blocker.next_frame + self._held_frames
        late_s = self._fit.residual_s(frame, host_ns)
        outlying = abs(late_s) > self._threshold_s()
        if not self._held and not outlying and not overflow:
            self._pass_on(samples, host_ns)
            return
        self._hold(samples, host_ns, late_s, overflow=overflow)
        if not self._flagged and not outlying:
            self._release()
        elif self._held_frames >= self._window_s * self._rate:
            self._decide()

    def reopen(self) -> None:
        """Say that the device was opened anew: the next chunk begins after a hole."""
        self._decide()
        self._fit.unsettle()

    def _threshold_s(self) -> float:
        return max(self._settings.hole_floor_s, self._settings.hole_sigmas * self._fit.jitter_s)

    def _skip(self, frames: int) -> None:
        if self._fit.settled:
            self._blocker.lose(frames)
        else:
            self._unsettled_frames += frames

    def _settle(self, frames: int, host_ns: int) -> None:
        """Wait for the line; when it is there, what came before it is one hole."""
        self._fit.observe(self._blocker.next_frame + self._unsettled_frames, host_ns)
        self._unsettled_frames += frames
        if self._fit.settled:
            closed = max(0, round(self._fit.anchor_shift_s * self._rate))
            self._fit.skip_frames(closed)
            self._blocker.lose(self._unsettled_frames + closed)
            self._unsettled_frames = 0

    def _hold(
        self, samples: npt.NDArray[np.generic], host_ns: int, late_s: float, *, overflow: bool
    ) -> None:
        if not self._held:
            self._flagged = False
            self._window_s = max(self._settings.hole_window_s, abs(late_s))
            self._window_s = min(self._window_s, self._settings.hole_window_max_s)
        self._flagged = self._flagged or overflow
        self._held.append(_Held(samples=samples.copy(), host_ns=host_ns, late_s=late_s))
        self._held_frames += len(samples)

    def _decide(self) -> None:
        """End the look: leave the hole that the held chunks show, and pass them on."""
        if not self._held:
            return
        # The first half may still be catching up with the delay itself.
        late = [chunk.late_s for chunk in self._held[len(self._held) // 2 :]]
        shift_s = statistics.median(late)
        doubt_s = 1.25 * self._fit.jitter_s / len(late) ** 0.5
        if shift_s > max(3.0 * doubt_s, 0.002):
            self._blocker.lose(round(shift_s * self._rate))
            self._fit.shift(0.0, doubt_s=doubt_s)
        elif shift_s < -self._threshold_s():
            self._fit.shift(shift_s, doubt_s=doubt_s)
            self.early_shifts += 1
        self._release()

    def _release(self) -> None:
        held, self._held, self._held_frames = self._held, [], 0
        for chunk in held:
            self._pass_on(chunk.samples, chunk.host_ns)

    def _pass_on(self, samples: npt.NDArray[np.generic], host_ns: int) -> None:
        self._fit.observe(self._blocker.next_frame, host_ns)
        self._blocker.push(samples)
