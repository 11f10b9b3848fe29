"""Smaller pictures, the same bits wherever they are made."""

import numpy as np
import numpy.typing as npt

from tiltbot_ros.errors import ConfigError


def shrink(pictures: npt.NDArray[np.uint8], size: int) -> npt.NDArray[np.uint8]:
    """Average square blocks of pixels, rounding halves up, in integers.

    Args:
        pictures: (..., side, side, channels) uint8.
        size: wanted side, a divisor of the side [px].

    Returns:
        (..., size, size, channels) uint8.

    Raises:
        ConfigError: the side is no multiple of the size.
    """
    *rows, side, width, channels = pictures.shape
    if size < 1 or side != width or side % size:
        raise ConfigError(
            f"expected square pictures whose side is a multiple of {size} px, "
            f"got {side} x {width}; choose one of "
            f"{', '.join(str(n) for n in range(8, side + 1) if side % n == 0)} px"
        )
    factor = side // size
    if factor == 1:
        return pictures
    total = np.zeros((*rows, size, size, channels), np.uint32)
    for y in range(factor):
        for x in range(factor):
            total += pictures[..., y::factor, x::factor, :]
    mean: npt.NDArray[np.uint32] = (total + factor * factor // 2) // (factor * factor)
    return mean.astype(np.uint8)
