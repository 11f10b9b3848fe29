"""Shows a demonstration again: to its start, then its steps; and how far off that was."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy.optimize import minimize_scalar
from scipy.spatial.transform import Rotation, Slerp

from tiltbot_ros.arms.deltas import shortened
from tiltbot_ros.demonstrations.steps import Demonstration, PoseTrack
from tiltbot_ros.errors import EpisodeError
from tiltbot_ros.settings import Settings

Array = NDArray[np.float64]

NS_PER_S = 1_000_000_000
LARGEST_SHIFT_S = 0.25

UNDER_WAY = 2
"""Steps that may have been sent and not be counted yet."""

LEAST_COVER = 0.9
"""Share of a demonstration that a replay has to have to be compared with it."""


class ReplaySettings(Settings):
    """How a demonstration is shown again."""

    approach_m_s: float = Field(
        0.08, gt=0.0, le=0.5, description="speed of the way to its start [m/s]"
    )
    approach_rad_s: float = Field(
        0.4, gt=0.0, le=2.0, description="rate of the way to its start [rad/s]"
    )
    near_m: float = Field(0.0005, gt=0.0, le=0.05, description="near enough to the start [m]")
    near_rad: float = Field(0.002, gt=0.0, le=0.2, description="near enough to the start [rad]")
    approach_s: float = Field(
        30.0, gt=0.0, le=600.0, description="longest way to the start; then it is given up [s]"
    )
    settle_s: float = Field(
        1.0, ge=0.0, le=10.0, description="rest after the start and after the end [s]"
    )


class Approach:
    """Steps that lead a measured tool to a pose, slower the nearer it is."""

    _GAIN = 0.15
    """Of what is left, per step: below what makes a lagging arm swing."""

    def __init__(self, start: Array, settings: ReplaySettings, *, rate_hz: float) -> None:
        """Lead to `start` (6,) at so many steps a second."""
        self._start = start
        self._settings = settings
        self._farthest = settings.approach_m_s / rate_hz
        self._widest = settings.approach_rad_s / rate_hz

    def left(self, measured: Array) -> Array:
        """Return what is left of the way (6,): translation [m], rotation vector [rad]."""
        there = Rotation.from_rotvec(self._start[3:])
        turn: Array = (there * Rotation.from_rotvec(measured[3:]).inv()).as_rotvec()
        left: Array = np.concatenate((self._start[:3] - measured[:3], turn))
        return left

    def arrived(self, measured: Array) -> bool:
        """Say whether the tool is near enough."""
        left = self.left(measured)
        near = float(np.linalg.norm(left[:3])) <= self._settings.near_m
        return near and float(np.linalg.norm(left[3:])) <= self._settings.near_rad

    def step(self, measured: Array) -> Array:
        """Return the next step (6,)."""
        left = self.left(measured) * self._GAIN
        way, turn = shortened(left[:3], self._farthest), shortened(left[3:], self._widest)
        step: Array = np.concatenate((way, turn))
        return step


def start_of(demonstration: Demonstration) -> Array:
    """Return where the tool was at the first step, (6,).

    Raises:
        EpisodeError: no pose was measured by then.
    """
    start = demonstration.track.at(int(demonstration.steps.stamps_ns[0]))
    if start is None:
        raise EpisodeError(
            f"expected a measured pose before the first step of {demonstration.facts.id}, but "
            f"there is none"
        )
    return start


def due_s(demonstration: Demonstration) -> Array:
    """Return when each step is due after the first, (n,) [s]."""
    stamps = demonstration.steps.stamps_ns
    due: Array = (stamps - stamps[0]) / NS_PER_S
    return due


@dataclass(frozen=True, kw_only=True, slots=True)
class ReplayError:
    """How far the tool was from where it was in the demonstration, moment by moment.

    Attributes:
        max_m, rms_m: distance [m].
        max_rad, rms_rad: angle [rad].
        end_m, end_rad: at the end.
        shift_s: by how much the replay is later; taken out of the other numbers [s].
        moments: how many were compared.
    """

    max_m: float
    rms_m: float
    max_rad: float
    rms_rad: float
    end_m: float
    end_rad: float
    shift_s: float
    moments: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Replayed:
    """What became of a replay.

    Attributes:
        error: how far off it was.
        sent: steps that were sent from the first to the rest after the last.
        taken: steps that the arm took of them.
        clamped: steps that a limit cut short.
        deadman_stops: how often the arm heard nothing for too long.
    """

    error: ReplayError
    sent: int
    taken: int
    clamped: int
    deadman_stops: int

    @property
    def flaws(self) -> str:
        """What was not as it should be, in words; empty: nothing."""
        flaws = []
        # The last one or two may be under way.
        if self.taken < self.sent - UNDER_WAY:
            flaws.append(f"{self.sent - self.taken} of {self.sent} steps were not taken")
        if self.clamped:
            flaws.append(f"{self.clamped} steps were cut short by a limit")
        if self.deadman_stops:
            flaws.append(f"the arm stopped {self.deadman_stops} times for silence")
        return ", ".join(flaws)


def compare(
    shown: PoseTrack, shown_from_ns: int, again: PoseTrack, again_from_ns: int
) -> ReplayError:
    """Compare a replay with its demonstration.

    Both are told by the same time since their first step. A delay of the whole
    replay is no error of the motion: the shift that fits best, at most
    LARGEST_SHIFT_S, is taken out and told.

    Args:
        shown: poses of the demonstration.
        shown_from_ns: when its first step was made [ns].
        again: poses of the replay.
        again_from_ns: when its first step was made [ns].

    Raises:
        EpisodeError: the two do not overlap.
    """
    first, second = _Path(shown, shown_from_ns), _Path(again, again_from_ns)
    begin = max(first.begin_s, second.begin_s) + LARGEST_SHIFT_S
    end = min(first.end_s, second.end_s) - LARGEST_SHIFT_S
    times = first.times_s[(first.times_s >= begin) & (first.times_s <= end)]
    if not len(times) or times[-1] < LEAST_COVER * first.end_s - 2.0 * LARGEST_SHIFT_S:
        raise EpisodeError(
            f"expected a replay as long as its demonstration, {first.end_s:.1f} s, but it is too "
            f"short: {second.end_s:.1f} s"
        )
    wanted = first.at(times)

    def off(shift_s: float) -> float:
        found = second.at(times + shift_s)
        return float(np.mean(np.sum((found[0] - wanted[0]) ** 2, axis=1)))

    best = minimize_scalar(off, bounds=(-LARGEST_SHIFT_S, LARGEST_SHIFT_S), method="bounded")
    # Where nothing moves every shift is as good.
    shift_s = float(best.x) if best.fun < 0.99 * off(0.0) else 0.0
    positions, rotations = second.at(times + shift_s)
    distance = np.linalg.norm(positions - wanted[0], axis=1)
    angle = (rotations * wanted[1].inv()).magnitude()
    return ReplayError(
        max_m=float(distance.max()),
        rms_m=float(np.sqrt(np.mean(distance**2))),
        max_rad=float(angle.max()),
        rms_rad=float(np.sqrt(np.mean(angle**2))),
        end_m=float(distance[-1]),
        end_rad=float(angle[-1]),
        shift_s=shift_s,
        moments=len(times),
    )


class _Path:
    """A track that can be asked for any moment."""

    def __init__(self, track: PoseTrack, from_ns: int) -> None:
        times, kept = np.unique(track.stamps_ns, return_index=True)
        if len(times) < 2:
            raise EpisodeError(f"expected a track of poses, got {len(times)}")
        self.times_s: Array = (times - from_ns) / NS_PER_S
        self.begin_s, self.end_s = float(self.times_s[0]), float(self.times_s[-1])
        poses = track.poses[kept]
        self._positions = poses[:, :3]
        self._slerp = Slerp(self.times_s, Rotation.from_rotvec(poses[:, 3:]))

    def at(self, times_s: Array) -> tuple[Array, Rotation]:
        """Return positions (k, 3) and rotations at times within the track, or at its ends."""
        times_s = np.clip(times_s, self.begin_s, self.end_s)
        columns = [np.interp(times_s, self.times_s, column) for column in self._positions.T]
        return np.stack(columns, axis=1), self._slerp(times_s)
