"""Mean and deviation of an array over the rows that a model learns from."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from policy_ros.data.store import Store
from tiltbot_ros.errors import StoreError

Doubles = npt.NDArray[np.float64]

_ROWS = 256


@dataclass(frozen=True, kw_only=True, slots=True)
class Statistics:
    """What a normaliser subtracts and divides by, in the units of `StoreDataset`'s tensors.

    Attributes:
        mean, deviation: float64 in the shape of a sample, with 1 for the axes that were averaged.
        count: values that each of them was made of.
    """

    mean: Doubles
    deviation: Doubles
    count: int


def measure(
    store: Store,
    rows: npt.NDArray[np.int64],
    name: str,
    *,
    keep: tuple[int, ...] = (),
    least: float = 1e-3,
) -> Statistics:
    """Return the statistics of an array, a few rows at a time.

    Args:
        store: to read from.
        rows: those to learn from, never those to test on.
        name: of the array. Pictures count in [0, 1] with the channel first, sound in full scale.
        keep: axes of a sample that keep a value of their own: (1,) for each frequency of
            `spectrogram`, (0,) for each colour of `before`; none: one mean for all.
        least: the deviation is at least this, so that what never changes is not blown up.

    Raises:
        StoreError: there are no rows, or no finite value among them.
    """
    array = store.array(name)
    picture = array.dtype == np.uint8
    scale = 255.0 if picture else 32768.0 if name == "audio" else 1.0
    count, mean, spread = np.zeros(()), np.zeros(()), np.zeros(())
    for start in range(0, len(rows), _ROWS):
        values = array.take(rows[start : start + _ROWS]).astype(np.float64) / scale
        if picture:
            values = np.moveaxis(values, -1, -3)
        axes = (0, *(axis + 1 for axis in range(values.ndim - 1) if axis not in keep))
        known = np.isfinite(values)
        here = known.sum(axes, keepdims=True)[0].astype(np.float64)
        some = np.maximum(here, 1)
        middle = np.where(known, values, 0.0).sum(axes, keepdims=True)[0] / some
        squares = (np.where(known, values - middle, 0.0) ** 2).sum(axes, keepdims=True)[0]
        # Chan, Golub and LeVeque (1983): means and spreads of two sets of values together.
        total = np.maximum(count + here, 1)
        step = middle - mean
        spread = spread + squares + step**2 * count * here / total
        mean = mean + step * here / total
        count = count + here
    if not np.size(count) or not (count > 0).all():
        raise StoreError(
            f"{store.path}: expected values of {name} in {len(rows)} rows, found none in some"
        )
    return Statistics(
        mean=mean, deviation=np.maximum(np.sqrt(spread / count), least), count=int(count.max())
    )
