"""The pixels of recorded images, raw or compressed."""

from typing import Any

import numpy as np
import numpy.typing as npt

from tiltbot_ros.episodes.typestore import COMPRESSED_TYPE, IMAGE_TYPE
from tiltbot_ros.errors import EpisodeError

_PIXELS: dict[str, tuple[type[np.generic], int]] = {
    "rgb8": (np.uint8, 3),
    "bgr8": (np.uint8, 3),
    "mono8": (np.uint8, 1),
    "8UC1": (np.uint8, 1),
    "16UC1": (np.uint16, 1),
    "mono16": (np.uint16, 1),
    "32FC1": (np.float32, 1),
}

IMAGE_TYPES = (IMAGE_TYPE, COMPRESSED_TYPE)

_COMPRESSED_NAMES = ("compressed", "compressedDepth")


def compressed_names(name: str) -> tuple[str, ...]:
    """Return the names that image_transport gives a topic of images in its compressed forms."""
    return tuple(f"{name}/{form}" for form in _COMPRESSED_NAMES)


def pixels_of(message: Any, msgtype: str) -> tuple[npt.NDArray[Any], str]:
    """Return the pixels (height, width[, 3]) of an image and their encoding.

    Args:
        message: a deserialised Image or CompressedImage.
        msgtype: which of them.

    Raises:
        EpisodeError: the encoding is not known, or the data is no such picture.
    """
    if msgtype == COMPRESSED_TYPE:
        # OpenCV takes a while to import; who reads no images must not wait for it.
        from tiltbot_ros.sensors.image_codec import unpack  # noqa: PLC0415

        return unpack(message.format, np.asarray(message.data, np.uint8))
    if message.encoding not in _PIXELS:
        raise EpisodeError(f"expected an encoding of {sorted(_PIXELS)}, got {message.encoding!r}")
    return _raw(message), message.encoding


def _raw(picture: Any) -> npt.NDArray[Any]:
    dtype, channels = _PIXELS[picture.encoding]
    order = np.dtype(dtype).newbyteorder(">" if picture.is_bigendian else "<")
    row = picture.width * channels * order.itemsize
    if picture.step < row or len(picture.data) < picture.height * picture.step:
        raise EpisodeError(
            f"expected {picture.height} rows of {row} bytes or more, got "
            f"{len(picture.data)} bytes in rows of {picture.step}"
        )
    rows = np.asarray(picture.data, np.uint8)[: picture.height * picture.step]
    tight = np.ascontiguousarray(rows.reshape(picture.height, picture.step)[:, :row])
    frame = tight.view(order).reshape(picture.height, picture.width, channels)
    native = frame.astype(order.newbyteorder("="), copy=False)
    return native[..., 0] if channels == 1 else native
