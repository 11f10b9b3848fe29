"""A person at work: when to take the arm, what to send, what was asked for."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tiltbot_ros.arms.deltas import DeltaSettings
from tiltbot_ros.teleop.following import Clutch, HandFollower
from tiltbot_ros.teleop.settings import TeleopSettings
from tiltbot_ros.teleop.source import PoseSource, Wish

TAKE_PERIOD_S = 1.0
"""How often the arm is asked for at most."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Turn:
    """What is to be done at one step of the policy's rate.

    Attributes:
        step: (6,) float64 to send, None: send nothing.
        gripper: to send with it.
        take: whether to ask for the arm.
        wishes: what the person asked for.
    """

    step: NDArray[np.float64] | None
    gripper: float
    take: bool
    wishes: tuple[Wish, ...]


class Operator:
    """Joins a source, its follower and what is known of the arm. No clock of its own.

    The arm is asked for when the clutch closes or a recording begins, never again by
    itself: who lost the arm, by a stop or a fault, opens the clutch and closes it anew.
    """

    def __init__(self, source: PoseSource, settings: TeleopSettings, deltas: DeltaSettings) -> None:
        """Make one for an open source.

        Args:
            source: gives the hand.
            settings: of the rig.
            deltas: how long a step may be, and how often `turn` is called.
        """
        self._source = source
        self._settings = settings
        self.follower = HandFollower(
            settings,
            rate_hz=deltas.rate_hz,
            step_m=deltas.step_m,
            step_rad=deltas.step_rad,
        )
        self.holds = False
        self._wants = False
        self._asked_s = -math.inf
        self._clutch: Clutch = "stale"

    def on_arm(self, commander: str, mode: str) -> None:
        """Take what the arm says of itself."""
        self.holds = commander == self._settings.commander and mode != "fault"
        if self.holds:
            self._wants = False

    def turn(self, now_s: float) -> Turn:
        """Return what is to be done now; called at the policy's rate.

        Args:
            now_s: a clock that only goes on [s].
        """
        sample = self._source.read(now_s)
        wishes = self._source.wishes()
        if not self.holds:
            self.follower.release()
        step = self.follower.step(sample, now_s)
        clutch, self._clutch = self._clutch, self.follower.clutch
        closed = self._clutch == "engaged" and clutch != "engaged"
        if closed or "start" in wishes:
            self._wants = True
        if "stop" in wishes or self._clutch == "stale":
            self._wants = False
        take = self._wants and not self.holds and now_s - self._asked_s >= TAKE_PERIOD_S
        if take:
            self._asked_s = now_s
        return Turn(
            step=step if self.holds else None,
            gripper=self.follower.gripper,
            take=take,
            wishes=wishes,
        )

    def on_refused(self) -> None:
        """Somebody else has the arm: ask no more until the clutch closes anew."""
        self._wants = False
