"""Which tilt caused a contact."""

from collections.abc import Iterable
from typing import Any, cast

from rosbags.serde import SerdeError

from tiltbot_ros.episodes.cdr import time_ns
from tiltbot_ros.episodes.facts import TiltAction
from tiltbot_ros.episodes.ring import StampedMessage
from tiltbot_ros.episodes.typestore import TILT_TYPE, typestore
from tiltbot_ros.errors import EpisodeError


def read_tilt(data: bytes) -> TiltAction:
    """Read a raw Tilt message.

    Raises:
        EpisodeError: the bytes are no Tilt message.
    """
    try:
        message = cast("Any", typestore().deserialize_cdr(data, TILT_TYPE))
    except SerdeError as error:
        raise EpisodeError(f"expected a Tilt message: {error}") from error
    rotation = message.rotation
    return TiltAction(
        rotation=(float(rotation.x), float(rotation.y), float(rotation.z)),
        ax=float(message.ax),
        ay=float(message.ay),
        start_ns=time_ns(message.start),
        end_ns=time_ns(message.end),
    )


def containing_tilt(messages: Iterable[StampedMessage], t_ns: int) -> StampedMessage | None:
    """Return the tilt that was under way at t, None when there is none."""
    for message in messages:
        tilt = read_tilt(message.data)
        if tilt.start_ns <= t_ns <= tilt.end_ns:
            return message
    return None


def preceding_tilt(
    messages: Iterable[StampedMessage], t_ns: int, lookback_ns: int
) -> StampedMessage | None:
    """Return the last tilt that began before t and ended at most `lookback_ns` before it."""
    earlier = [
        (tilt.start_ns, message)
        for message in messages
        if (tilt := read_tilt(message.data)).start_ns <= t_ns <= tilt.end_ns + lookback_ns
    ]
    return max(earlier, key=lambda pair: pair[0])[1] if earlier else None


def starts_after(messages: Iterable[StampedMessage], t_ns: int) -> bool:
    """Say whether a tilt that began after t has come already."""
    return any(read_tilt(message.data).start_ns > t_ns for message in messages)
