"""A demonstrator that needs no person: the same motions again, each a little different."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from tiltbot_ros.arms.tilts import minimum_jerk
from tiltbot_ros.teleop.settings import ScriptedSettings
from tiltbot_ros.teleop.source import HandSample, News, Wish

Array = NDArray[np.float64]

SETTLE_S = 1.0
"""Stillness before and after a motion: the recording begins and ends in it."""

STROKES = 2
TILT_RAD = 0.9


@dataclass(frozen=True, kw_only=True, slots=True)
class Motion:
    """One motion of the hand from where it is.

    Attributes:
        kind: reach, wipe or pour.
        size_m: of the way [m].
        duration_s: how long it takes [s].
    """

    kind: str
    size_m: float
    duration_s: float

    def at(self, elapsed_s: float) -> tuple[Array, Array, float]:
        """Return position (3,) [m], rotation vector (3,) [rad] and gripper at a time."""
        part = min(max(elapsed_s / self.duration_s, 0.0), 1.0)
        if self.kind == "wipe":
            return self._wipe(part)
        return self._pour(part) if self.kind == "pour" else self._reach(part)

    def _reach(self, part: float) -> tuple[Array, Array, float]:
        """Go forward and down, close, come half-way back up."""
        there, back = minimum_jerk(part / 0.6), minimum_jerk((part - 0.7) / 0.3)
        forward, up = self.size_m * there, self.size_m * (-0.6 * there + 0.3 * back)
        return np.array([forward, 0.0, up]), np.zeros(3), 1.0 if part > 0.65 else 0.0

    def _wipe(self, part: float) -> tuple[Array, Array, float]:
        """Go down, to and fro sideways, and up again."""
        down = minimum_jerk(part / 0.15) - minimum_jerk((part - 0.85) / 0.15)
        inner = min(max((part - 0.15) / 0.7, 0.0), 1.0)
        # The strokes swell and die away, so that the hand begins and ends at rest.
        swell = minimum_jerk(inner / 0.2) - minimum_jerk((inner - 0.8) / 0.2)
        sideways = 0.5 * self.size_m * swell * math.sin(2.0 * math.pi * STROKES * inner)
        position = np.array([0.0, sideways, -0.25 * self.size_m * down])
        return position, np.zeros(3), 1.0

    def _pour(self, part: float) -> tuple[Array, Array, float]:
        """Go up, tilt about the forward axis, wait, tilt back and come down."""
        up = minimum_jerk(part / 0.3) - minimum_jerk((part - 0.7) / 0.3)
        tilt = minimum_jerk((part - 0.25) / 0.25) - minimum_jerk((part - 0.6) / 0.2)
        position = np.array([0.0, 0.0, self.size_m * up])
        return position, np.array([TILT_RAD * tilt, 0.0, 0.0]), 1.0


class ScriptedSource:
    """Shows a motion some times: asks to record, moves, says that it went well; then quits.

    It begins when it is told that the others are there.
    """

    name = "scripted"
    help = "a demonstrator: it begins, moves and ends by itself"

    def __init__(self, settings: ScriptedSettings, *, ready_s: float = 2.0) -> None:
        """Make one that waits to be told that the others are there.

        Args:
            settings: what it shows.
            ready_s: time before the first motion, for the streams to flow [s].
        """
        random = np.random.default_rng(settings.seed)
        self._motions = []
        begin_s = ready_s
        for _ in range(settings.times):
            size, pace = random.uniform(0.9, 1.1, 2)
            motion = Motion(
                kind=settings.motion,
                size_m=settings.size_m * size,
                duration_s=settings.duration_s * pace,
            )
            self._motions.append((begin_s, motion))
            begin_s += motion.duration_s + 4.0 * SETTLE_S
        self._end_s = begin_s
        self._ready = False
        self._begun_s: float | None = None
        self._due: list[tuple[float, Wish]] = []
        for start_s, motion in self._motions:
            self._due.append((start_s, "start"))
            self._due.append((start_s + motion.duration_s + 2.0 * SETTLE_S, "success"))
        self._due.append((self._end_s, "quit"))
        self._elapsed_s = -math.inf

    def open(self) -> None:
        """Do nothing: it begins when it is told."""

    def read(self, now_s: float) -> HandSample | None:
        """Return where the demonstrator's hand is now."""
        if self._ready and self._begun_s is None:
            self._begun_s = now_s
        self._elapsed_s = elapsed = -math.inf if self._begun_s is None else now_s - self._begun_s
        position, turn, gripper = np.zeros(3), np.zeros(3), math.nan
        engaged = False
        for begin_s, motion in self._motions:
            within_s = elapsed - begin_s
            if -1.5 * SETTLE_S <= within_s < motion.duration_s + 2.0 * SETTLE_S:
                position, turn, gripper = motion.at(within_s - SETTLE_S)
                engaged = True
        return HandSample(
            received_s=now_s,
            position=position,
            rotation=Rotation.from_rotvec(turn).as_matrix(),
            engaged=engaged,
            gripper=gripper,
        )

    def wishes(self) -> tuple[Wish, ...]:
        """Return what has become due."""
        due = tuple(wish for at_s, wish in self._due if at_s <= self._elapsed_s)
        self._due = [(at_s, wish) for at_s, wish in self._due if at_s > self._elapsed_s]
        return due

    def tell(self, news: News) -> None:
        """Begin when the others are there."""
        self._ready = self._ready or news.ready

    def close(self) -> None:
        """Do nothing."""
