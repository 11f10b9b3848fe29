"""How often contacts came around each episode."""

import numpy as np
import numpy.typing as npt

from tiltbot_ros.episodes.cdr import NS_PER_S

PAUSE_S = 120.0
"""Longer without a contact is a pause, in which nothing was collected [s]."""

_AROUND_S = 60.0
_LEAST_S = 20.0


def contact_rates(
    stamps_ns: npt.NDArray[np.int64], contacts: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """Return the contacts a minute in the two minutes around each episode.

    Time in pauses does not count: at the beginning and the end of a stretch
    without pauses only its own side of the two minutes is looked at.

    Args:
        stamps_ns: (n,) times of the contacts of one object's episodes, in any order [ns].
        contacts: (n,) contacts heard in the window of each.

    Returns:
        (n,) [1/min]; NaN where too little was collected around an episode.
    """
    order = np.argsort(stamps_ns, kind="stable")
    # Differences in integers, since stamps in ns do not fit a float's digits.
    times = (stamps_ns[order] - stamps_ns[order[:1]]) / NS_PER_S
    stretch = np.cumsum(np.diff(times, prepend=times[:1]) > PAUSE_S)
    begins = times[np.searchsorted(stretch, stretch, "left")]
    ends = times[np.searchsorted(stretch, stretch, "right") - 1]
    first = np.searchsorted(times, np.maximum(times - _AROUND_S, begins), "left")
    last = np.searchsorted(times, np.minimum(times + _AROUND_S, ends), "right") - 1
    # From the first contact of a span to its last: the first begins it and does not count.
    heard = np.cumsum(contacts[order])
    length = times[last] - times[first]
    rates = np.full(len(times), np.nan)
    np.divide(60.0 * (heard[last] - heard[first]), length, out=rates, where=length >= _LEAST_S)
    found = np.empty_like(rates)
    found[order] = rates
    return found
