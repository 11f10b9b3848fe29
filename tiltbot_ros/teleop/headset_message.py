"""What the headset's page sends, read with suspicion."""

import json
import math
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from tiltbot_ros.errors import FormatError
from tiltbot_ros.teleop.source import HandSample, Wish

_KNOWN: frozenset[Wish] = frozenset(get_args(Wish))
MOST_WISHES = 8

TO_PERSON: NDArray[np.float64] = np.array([[0.0, 0.0, -1.0], [-1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
"""From WebXR's axes (x right, y up, z backward) to the person's (x forward, y left, z up)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HeadsetMessage:
    """One message of the page.

    Attributes:
        sample: the hand; its numbers may be NaN.
        wishes: what the person asked for.
    """

    sample: HandSample
    wishes: tuple[Wish, ...]


def read_message(text: str | bytes, *, received_s: float) -> HeadsetMessage:
    """Return what a message says; what is no number is NaN in it.

    Args:
        text: as it came.
        received_s: when it came, on a clock that only goes on [s].

    Raises:
        FormatError: it is no message of the page.
    """
    try:
        content = json.loads(text)
        position = _numbers(content["position"], 3)
        quaternion = _numbers(content["orientation"], 4)
        gripper = _number(content.get("gripper"))
        clutch = content["clutch"] is True
        wishes = _wishes(content.get("wishes", []))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise FormatError(f"expected a pose from the headset's page, got {error}") from error
    sample = HandSample(
        received_s=received_s,
        position=TO_PERSON @ position,
        rotation=_matrix(quaternion),
        engaged=clutch,
        gripper=gripper,
    )
    return HeadsetMessage(sample=sample, wishes=wishes)


def _wishes(asked: Any) -> tuple[Wish, ...]:
    if not isinstance(asked, list) or len(asked) > MOST_WISHES:
        raise ValueError(f"wishes {asked!r}")
    return tuple(wish for wish in asked if isinstance(wish, str) and wish in _KNOWN)


def _matrix(quaternion: NDArray[np.float64]) -> NDArray[np.float64]:
    length = float(np.linalg.norm(quaternion))
    if not 0.9 < length < 1.1:  # that of a rotation has length 1
        return np.full((3, 3), np.nan)
    matrix: NDArray[np.float64] = Rotation.from_quat(quaternion).as_matrix()
    return TO_PERSON @ matrix @ TO_PERSON.T


def _numbers(values: Any, count: int) -> NDArray[np.float64]:
    if not isinstance(values, list) or len(values) != count:
        raise ValueError(f"{values!r} where {count} numbers should be")
    return np.array([_number(value) for value in values])


def _number(value: Any) -> float:
    """Return a finite number; null, as JSON has NaN, and anything else are NaN."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return math.nan
    try:
        number = float(value)
    except OverflowError:
        return math.nan
    return number if math.isfinite(number) else math.nan
