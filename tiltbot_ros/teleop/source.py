"""What every pose source gives: where a person's hand is, and what the person wants."""

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

Wish = Literal["start", "keep", "success", "failure", "discard", "stop", "quit"]
"""What a person asks for besides motion.

start: record a demonstration. keep, success, failure, discard: end it so. stop: stop
the arm. quit: end the session.
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class HandSample:
    """A hand, or what stands for one, at a moment.

    Attributes:
        received_s: when it came, on a clock that only goes on [s].
        position: (3,) float64 in the person's axes: x forward, y left, z up [m].
        rotation: (3, 3) float64, from the hand's frame to the person's axes.
        engaged: whether the clutch is closed, so that the tool follows.
        gripper: 0 open .. 1 closed, NaN: leave it.
    """

    received_s: float
    position: NDArray[np.float64]
    rotation: NDArray[np.float64]
    engaged: bool
    gripper: float = np.nan


@dataclass(frozen=True, kw_only=True, slots=True)
class News:
    """What a source may show to the person.

    Attributes:
        ready: whether the arm is there, and the recorder where there is to be one.
        mode: what the arm does.
        commander: who has it; empty: nobody.
        recording: whether a demonstration is recorded.
        text: one line: what is recorded, or what went wrong.
    """

    ready: bool
    mode: str
    commander: str
    recording: bool
    text: str


class PoseSource(Protocol):
    """Something that a person holds, or a program that acts like one."""

    @property
    def name(self) -> str:
        """Which one, as `teleop.source` names it."""

    @property
    def help(self) -> str:
        """How it is used, in a few lines for a person."""

    def open(self) -> None:
        """Begin to listen.

        Raises:
            DeviceError: it is not there.
            ConfigError: it cannot be used so.
            MissingDependencyError: a library is not installed.
        """

    def read(self, now_s: float) -> HandSample | None:
        """Return the newest sample, None before the first; it does not wait.

        A source that has lost its device goes on returning the last sample, which
        then grows old. Numbers may be wrong: the follower looks at them.

        Args:
            now_s: a clock that only goes on, the one of `received_s` [s].
        """

    def wishes(self) -> tuple[Wish, ...]:
        """Return what the person asked for since the last call."""

    def tell(self, news: News) -> None:
        """Show something to the person, where the source can."""

    def close(self) -> None:
        """Stop listening, and leave everything as it was found; it does not raise."""
