"""Statistics of features, as a LeRobot dataset carries them for normalisation.

Per feature: min, max, mean, standard deviation, count and five quantiles; of
vectors per component, of arrays per last axis, of pictures per colour in
[0, 1] with the shape (3, 1, 1). Of several episodes: the mean and deviation
weighted by frames, and for quantiles the envelope (the least of the lower
ones, the greatest of the upper ones), as `aggregate_stats` of lerobot has it.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Statistics = dict[str, Any]
"""Nested lists of numbers by name of the statistic."""

QUANTILES = {"q01": 0.01, "q10": 0.10, "q50": 0.50, "q90": 0.90, "q99": 0.99}
NAMES = ("min", "max", "mean", "std", "count", *QUANTILES)

_LARGE = 300
_SHRUNK = 150
_GREYS = 256


def of_column(values: Array) -> Statistics:
    """Return the statistics of a feature of an episode.

    Args:
        values: (n,) or (n, ...) of n frames.
    """
    flat = values.reshape(-1, values.shape[-1] if values.ndim > 1 else 1)
    numbers = flat.astype(np.float64)
    return _lists(
        {
            "min": numbers.min(axis=0),
            "max": numbers.max(axis=0),
            "mean": numbers.mean(axis=0),
            "std": numbers.std(axis=0),
            **dict(
                zip(QUANTILES, np.quantile(numbers, list(QUANTILES.values()), axis=0), strict=True)
            ),
        },
        len(values),
    )


def of_pictures(pictures: npt.NDArray[np.uint8]) -> Statistics:
    """Return the statistics of the pictures of an episode.

    Args:
        pictures: (n, height, width, 3) uint8; of large ones every so many pixels is used.
    """
    height, width = pictures.shape[1:3]
    step = 1
    if max(height, width) >= _LARGE:
        step = max(1, (max(height, width)) // _SHRUNK)
    small = pictures[:, ::step, ::step]
    counts = np.stack(
        [np.bincount(small[..., color].reshape(-1), minlength=_GREYS) for color in range(3)]
    ).astype(np.float64)
    share = counts / counts.sum(axis=1, keepdims=True)
    greys = np.arange(_GREYS) / (_GREYS - 1)
    mean = share @ greys
    variance = np.maximum(share @ greys**2 - mean**2, 0.0)
    below = np.cumsum(share, axis=1)
    found = {
        "min": np.array([greys[np.flatnonzero(row)[0]] for row in counts]),
        "max": np.array([greys[np.flatnonzero(row)[-1]] for row in counts]),
        "mean": mean,
        "std": np.sqrt(variance),
        **{
            name: np.array(
                [greys[min(int(np.searchsorted(row, part)), _GREYS - 1)] for row in below]
            )
            for name, part in QUANTILES.items()
        },
    }
    return _lists({name: value.reshape(3, 1, 1) for name, value in found.items()}, len(pictures))


def of_all(episodes: Sequence[Statistics]) -> Statistics:
    """Return the statistics of a feature over episodes that each have statistics of it."""
    parts = {name: np.array([one[name] for one in episodes], np.float64) for name in NAMES}
    counts = parts["count"].reshape(len(episodes), *[1] * (parts["mean"].ndim - 1))
    mean = (parts["mean"] * counts).sum(axis=0) / counts.sum()
    variance = ((parts["std"] ** 2 + (parts["mean"] - mean) ** 2) * counts).sum(axis=0)
    return _lists(
        {
            "min": parts["min"].min(axis=0),
            "max": parts["max"].max(axis=0),
            "mean": mean,
            "std": np.sqrt(variance / counts.sum()),
            **{
                name: parts[name].min(axis=0) if part <= 0.5 else parts[name].max(axis=0)
                for name, part in QUANTILES.items()
            },
        },
        int(parts["count"].sum()),
    )


def _lists(values: dict[str, Array], count: int) -> Statistics:
    lists: Statistics = {name: values[name].tolist() for name in NAMES if name != "count"}
    lists["count"] = [count]
    return {name: lists[name] for name in NAMES}
