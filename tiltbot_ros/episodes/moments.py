"""Which pictures of an episode show the world before and after its tilt."""

import numpy as np
import numpy.typing as npt

from tiltbot_ros.errors import EpisodeError

Stamps = npt.NDArray[np.int64]


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
