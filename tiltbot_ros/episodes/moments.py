"""Which pictures of an episode show the world before and after its tilt."""

from collections.abc import Iterable, Mapping

import numpy as np

from tiltbot_ros.episodes.facts import TiltAction
from tiltbot_ros.episodes.ring import StampedMessage
from tiltbot_ros.episodes.signals import Stamps
from tiltbot_ros.episodes.topics import RecordedTopic
from tiltbot_ros.errors import EpisodeError


def before_and_after(
    stamps_ns: Stamps, *, tilt_start_ns: int | None, tilt_end_ns: int | None
) -> tuple[int, int]:
    """Return the indices of the pictures before and after the tilt.

    Before is the last picture stamped at or before the tilt's start, or the
    first one where all are later; after is the first picture stamped at or
    after the tilt's end, or the last one where all are earlier. Without a
    tilt they are the first and the last. The same rule decides what is
    generated, converted, reported and evaluated.

    Args:
        stamps_ns: (n,) int64 of the pictures within the window, ascending [ns].
        tilt_start_ns: when the tray left level; None: there is no tilt [ns].
        tilt_end_ns: when it was level again; None: there is no tilt, or it has not ended [ns].

    Raises:
        EpisodeError: there is no picture, or the stamps are not in order.
    """
    stamps = np.asarray(stamps_ns, np.int64)
    if stamps.ndim != 1 or not len(stamps):
        raise EpisodeError(
            f"expected the stamps of one picture or more, got an array of shape {stamps.shape}"
        )
    if (np.diff(stamps) < 0).any():
        raise EpisodeError("expected stamps of pictures in ascending order, got them mixed up")
    before, after = 0, len(stamps) - 1
    if tilt_start_ns is not None:
        before = max(int(np.searchsorted(stamps, tilt_start_ns, "right")) - 1, 0)
    if tilt_end_ns is not None:
        after = min(int(np.searchsorted(stamps, tilt_end_ns, "left")), len(stamps) - 1)
    return before, after


def keep_moments(
    messages: Mapping[str, tuple[StampedMessage, ...]],
    topics: Iterable[RecordedTopic],
    tilt: TiltAction | None,
) -> dict[str, tuple[StampedMessage, ...]]:
    """Return an episode's messages without those between the pictures before and after the tilt.

    Of the topics that keep moments alone (`RecordedTopic.moments_hz`), what
    carries the stamps of these two pictures stays. The pictures are chosen
    from the first such topic of images; without a picture nothing is left out.

    Args:
        messages: by topic name, sorted by stamp.
        topics: what is recorded.
        tilt: that caused the contact; None: it is not known.
    """
    sparse = [topic for topic in topics if topic.moments_hz > 0.0]
    pictures = next((messages.get(topic.name, ()) for topic in sparse if topic.is_video), ())
    if not pictures:
        return dict(messages)
    stamps = np.array([message.stamp_ns for message in pictures], np.int64)
    chosen = before_and_after(
        stamps,
        tilt_start_ns=None if tilt is None else tilt.start_ns,
        tilt_end_ns=None if tilt is None else tilt.end_ns,
    )
    kept_ns = set(stamps[list(chosen)].tolist())
    thinned = {
        topic.name: tuple(m for m in messages.get(topic.name, ()) if m.stamp_ns in kept_ns)
        for topic in sparse
    }
    return {**messages, **thinned}
