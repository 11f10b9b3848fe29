"""From a hand's poses to steps of the tool: clutch, scale, dead zone, smoothing, limits."""

import math
from collections import Counter
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from tiltbot_ros.arms.deltas import shortened
from tiltbot_ros.teleop.settings import TeleopSettings
from tiltbot_ros.teleop.source import HandSample

Array = NDArray[np.float64]

Clutch = Literal["released", "engaged", "stale"]
"""Whether the tool follows the hand; stale: the source has fallen silent."""


FARTHEST_M = 100.0
"""No hand is farther from where it began [m]."""


def is_sound(sample: HandSample) -> bool:
    """Say whether a sample's numbers can be a hand: finite, and its rotation one."""
    position, rotation = sample.position, sample.rotation
    if position.shape != (3,) or rotation.shape != (3, 3):
        return False
    # NaN is in no range.
    if not ((np.abs(position) <= FARTHEST_M).all() and (np.abs(rotation) <= 1.001).all()):
        return False
    if math.isinf(sample.gripper):
        return False
    return bool(np.allclose(rotation @ rotation.T, np.eye(3), atol=1e-3)) and bool(
        np.linalg.det(rotation) > 0.0
    )


def beyond(wanted: Array, held: Array, dead: float) -> Array:
    """Return where something is that is dragged on a string of length `dead`, (3,)."""
    way = wanted - held
    length = float(np.linalg.norm(way))
    return held if length <= dead else held + way * ((length - dead) / length)


class HandFollower:
    """Turns a hand's motion since the clutch was closed into steps of the tool.

    Each time the clutch closes, hand and tool are where they are: nothing jumps.
    While it is open the steps are zero. After a silence of the source, a sample
    that makes no sense, or lost tracking, it begins anew from where hand and tool
    are then.
    """

    def __init__(
        self,
        settings: TeleopSettings,
        *,
        rate_hz: float,
        step_m: float = math.inf,
        step_rad: float = math.inf,
    ) -> None:
        """Make one with its clutch open.

        Args:
            settings: of the rig.
            rate_hz: how often `step` is called, the policy's rate [Hz].
            step_m: longest way of a step that the arm takes whole; what is left of a
                longer one comes with the next [m].
            step_rad: the same of its turn [rad].
        """
        self._step_m, self._step_rad = step_m, step_rad
        self._settings = settings
        self._dt_s = 1.0 / rate_hz
        self._axes = Rotation.from_rotvec(settings.rotation_rad)
        self._share = (
            1.0 if settings.smoothing_s == 0.0 else -math.expm1(-self._dt_s / settings.smoothing_s)
        )
        self._farthest = np.array(settings.speed_m_s) * self._dt_s
        self._widest = np.array(settings.speed_rad_s) * self._dt_s
        self._anchor: HandSample | None = None
        self._last: HandSample | None = None
        self._taken: HandSample | None = None
        self._dragged: Array = np.zeros(3)
        self._told: Array = np.zeros(3)
        self._dragged_turn: Array = np.zeros(3)
        self._told_turn = Rotation.identity()
        self.clutch: Clutch = "stale"
        self.dropped: Counter[str] = Counter()

    @property
    def gripper(self) -> float:
        """What the gripper should do: 0 open .. 1 closed, NaN: leave it."""
        return math.nan if self._last is None else self._last.gripper

    def step(self, sample: HandSample | None, now_s: float) -> Array | None:
        """Return the next step of the tool (6,) [m, rad] in the base's axes.

        None when there is no hand to follow: then nothing must be sent, so that the
        arm's deadman sees the silence. Called at the policy's rate.

        Args:
            sample: the newest of the source.
            now_s: the clock of its `received_s` [s].
        """
        if sample is not None and sample is not self._taken:
            self._taken = sample
            self._take(sample)
        last = self._last
        if last is None or now_s - last.received_s > self._settings.stale_s:
            self.clutch, self._anchor = "stale", None
            return None
        if not last.engaged:
            self.clutch, self._anchor = "released", None
            return np.zeros(6)
        self.clutch = "engaged"
        if self._anchor is None:
            self._anchor = last
            self._dragged, self._told = np.zeros(3), np.zeros(3)
            self._dragged_turn, self._told_turn = np.zeros(3), Rotation.identity()
        return np.concatenate((self._way(last, self._anchor), self._turn(last, self._anchor)))

    def release(self) -> None:
        """Begin anew from where the hand is: the arm was stopped, or somebody else had it."""
        self._anchor = None

    def _take(self, sample: HandSample) -> None:
        if not is_sound(sample):
            self.dropped["unsound"] += 1
            return
        before, self._last = self._last, sample
        if before is None or self._anchor is None:
            return
        far = float(np.linalg.norm(sample.position - before.position))
        turned = Rotation.from_matrix(sample.rotation @ before.rotation.T).magnitude()
        if far > self._settings.jump_m or turned > self._settings.jump_rad:
            self.dropped["jump"] += 1
            self._anchor = None

    def _way(self, hand: HandSample, anchor: HandSample) -> Array:
        settings = self._settings
        way = self._axes.apply(hand.position - anchor.position) * settings.scale
        self._dragged = beyond(way, self._dragged, settings.dead_m * settings.scale)
        step = (self._dragged - self._told) * self._share
        step = shortened(np.clip(step, -self._farthest, self._farthest), self._step_m)
        self._told = self._told + step
        return step

    def _turn(self, hand: HandSample, anchor: HandSample) -> Array:
        settings = self._settings
        turn = Rotation.from_matrix(hand.rotation @ anchor.rotation.T).as_rotvec()
        wanted = self._axes.apply(turn) * settings.turn_scale
        self._dragged_turn = beyond(
            wanted, self._dragged_turn, settings.dead_rad * settings.turn_scale
        )
        left = (Rotation.from_rotvec(self._dragged_turn) * self._told_turn.inv()).as_rotvec()
        step = shortened(np.clip(left * self._share, -self._widest, self._widest), self._step_rad)
        self._told_turn = Rotation.from_rotvec(step) * self._told_turn
        return step
