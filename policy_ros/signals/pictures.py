"""From the pictures of a store, or of a camera, to what a model sees."""

from typing import Any

import numpy as np
import numpy.typing as npt

from tiltbot_ros.errors import ConfigError


def shrink(pictures: npt.NDArray[np.uint8], size: int) -> npt.NDArray[np.float32]:
    """Average square blocks of pixels: the same bits in training and in a server.

    The sums are of integers and therefore exact.

    Args:
        pictures: (..., side, side, channels) uint8.
        size: wanted side, a divisor of the side [px].

    Returns:
        (..., channels, size, size) float32 in [0, 1].

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
    # Down the columns first, where whole rows of memory are added; a loop over
    # the few rows of a block is much faster than a sum over an axis.
    blocks = pictures.reshape(-1, size, factor, side * channels)
    down = _added([blocks[:, :, row] for row in range(factor)])
    cells = down.reshape(-1, size, size, factor, channels)
    total = _added([cells[:, :, :, column] for column in range(factor)])
    mean = total.astype(np.float32) / np.float32(255 * factor * factor)
    small: npt.NDArray[np.float32] = np.moveaxis(mean.reshape(*rows, size, size, channels), -1, -3)
    return small


def _added(parts: list[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    wide = np.uint16 if len(parts) <= 16 else np.uint32  # 16 · 16 · 255 still fits 16 bits
    total: npt.NDArray[Any] = parts[0].astype(wide)
    for part in parts[1:]:
        total += part
    return total
