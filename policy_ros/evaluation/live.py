"""Models judged while episodes come in: what they would have said, beside what happened."""

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from policy_ros.data.making import RawInteraction
from policy_ros.serving.served import ServedModel
from tiltbot_ros.errors import TiltbotError
from tiltbot_ros.serving import Role

if TYPE_CHECKING:
    from policy_ros.data.sample import Sample

Floats = npt.NDArray[np.float64]

RECENT = 50
"""Predictions that a recent mean is of."""
REMEMBERED = 100
"""Objects whose last episode is kept; the one heard longest ago is forgotten first."""


class Statistic:
    """Mean and deviation of a value that comes again and again.

    Args:
        name: of the value.
        unit: of it, in words; "" where it has none.
    """

    def __init__(self, name: str, unit: str) -> None:
        self.name = name
        self.unit = unit
        self.count = 0
        self.last = math.nan
        self._mean = 0.0
        self._squares = 0.0
        self._recent: deque[float] = deque(maxlen=RECENT)

    def add(self, value: float) -> None:
        """Count one more."""
        self.count += 1
        self.last = value
        change = value - self._mean
        self._mean += change / self.count
        self._squares += change * (value - self._mean)
        self._recent.append(value)

    @property
    def mean(self) -> float:
        """Of all; NaN before the first."""
        return self._mean if self.count else math.nan

    @property
    def deviation(self) -> float:
        """Standard deviation of all; NaN before the second."""
        return math.sqrt(self._squares / (self.count - 1)) if self.count > 1 else math.nan

    @property
    def recent(self) -> float:
        """Mean of the last RECENT; NaN before the first."""
        return sum(self._recent) / len(self._recent) if self._recent else math.nan


@dataclass(kw_only=True, slots=True)
class Judgement:
    """What the models said of one episode; what they did not is NaN or empty.

    Attributes:
        true_action: (2,) ax, ay.
        true_location_m: (2,) after the tilt; NaN: not seen [m].
        action: (2,) as predicted.
        location_m: (2,) after the tilt, as predicted [m].
        object: most probable one.
        probability: of it.
        left_out: what was not predicted and why, a line each.
    """

    true_action: Floats
    true_location_m: Floats
    action: Floats = field(default_factory=lambda: np.full(2, np.nan))
    location_m: Floats = field(default_factory=lambda: np.full(2, np.nan))
    object: str = ""
    probability: float = math.nan
    left_out: list[str] = field(default_factory=list)


class LiveEvaluator:
    """Judges one episode after another.

    The forward model hears the object's last episode before this one: that of
    an interaction that was over when this one began. An object's first episode
    is therefore not predicted.

    Args:
        models: what is judged, by role.
        max_tilt_rad: tilt of an action of 1 [rad].
        half_side_m: location of 1 [m].
    """

    def __init__(
        self, models: Mapping[Role, ServedModel], *, max_tilt_rad: float, half_side_m: float
    ) -> None:
        self._models = dict(models)
        self._max_tilt_rad = max_tilt_rad
        self._half_side_m = half_side_m
        self._former: dict[str, Sample] = {}
        self.inverse_mse = Statistic("inverse_mse", "of ax and ay, squared")
        self.accuracy = Statistic("object_accuracy", "1 right, 0 wrong")
        self.location_l1 = Statistic("location_l1", "half the tray's side, each axis")

    @property
    def statistics(self) -> tuple[Statistic, ...]:
        """Those of the models that there are."""
        of_role: dict[Role, Statistic] = {
            "inverse": self.inverse_mse,
            "classify": self.accuracy,
            "forward": self.location_l1,
        }
        return tuple(of_role[role] for role in of_role if role in self._models)

    def judge(self, raw: RawInteraction) -> Judgement:
        """Let the models speak of an episode, and count how far they are off."""
        judgement = Judgement(
            true_action=np.asarray(raw.rotation, np.float64) / self._max_tilt_rad,
            true_location_m=np.asarray(raw.location_after, np.float64),
        )
        for role, model in self._models.items():
            try:
                if role == "inverse":
                    self._judge_action(model, raw, judgement)
                elif role == "classify":
                    self._judge_object(model, raw, judgement)
                else:
                    self._judge_location(model, raw, judgement)
            except TiltbotError as error:
                judgement.left_out.append(f"{role}: {error}")
        return judgement

    def _judge_action(self, model: ServedModel, raw: RawInteraction, into: Judgement) -> None:
        into.action = model.inverse(model.sample(raw)).action
        self.inverse_mse.add(float(np.square(into.action - into.true_action).mean()))

    def _judge_object(self, model: ServedModel, raw: RawInteraction, into: Judgement) -> None:
        guess = model.classify(model.sample(raw))
        into.object, into.probability = guess.names[0], float(guess.probabilities[0])
        if raw.object not in model.contract.classes:
            into.left_out.append(
                f"classify: '{raw.object}' is none of the {len(guess.names)} objects it knows"
            )
            return
        self.accuracy.add(float(into.object == raw.object))

    def _judge_location(
        self,
        model: ServedModel,
        raw: RawInteraction,
        into: Judgement,
    ) -> None:
        sample = model.sample(raw)
        former = self._former.pop(raw.object, None)
        self._former[raw.object] = sample
        if len(self._former) > REMEMBERED:
            del self._former[next(iter(self._former))]
        if model.hears and former is None:
            into.left_out.append(f"forward: no episode of '{raw.object}' before this one")
            return
        start = np.asarray(raw.location_before, np.float64)
        if not np.isfinite(start).all():
            into.left_out.append("forward: the object was not seen before the tilt")
            return
        into.location_m = model.forward(former, start, into.true_action)
        if not np.isfinite(into.true_location_m).all():
            into.left_out.append("forward: the object was not seen after the tilt")
            return
        error = np.abs(into.location_m - into.true_location_m).mean() / self._half_side_m
        self.location_l1.add(float(error))
