"""The signals of an episode as arrays."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Stamps = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Sound:
    """The sound of an episode.

    Attributes:
        samples: (frames, channels) int16, or int32 for 24 bits; holes are closed up.
        first_stamp_ns: time of the first frame [ns].
        first_sample: running index of the first frame.
        sample_rate: [Hz].
        full_scale: magnitude of digital full scale.
        missing: frames that were lost within (0: no hole).
    """

    samples: npt.NDArray[np.int16] | npt.NDArray[np.int32]
    first_stamp_ns: int
    first_sample: int
    sample_rate: int
    full_scale: int
    missing: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Images:
    """The pictures of one topic.

    Attributes:
        stamps_ns: (n,) int64.
        frames: (n, height, width[, 3]) in the pixel type of `encoding`.
        encoding: as in sensor_msgs/Image.
    """

    stamps_ns: Stamps
    frames: npt.NDArray[Any]
    encoding: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Poses:
    """The poses of one topic.

    Attributes:
        stamps_ns: (n,) int64.
        positions: (n, 3) [m].
        orientations: (n, 4) unit quaternions x, y, z, w.
        rotation_vectors: (n, 3) the same as rotation vectors [rad].
        frame_id: frame they are given in.
    """

    stamps_ns: Stamps
    positions: Floats
    orientations: Floats
    rotation_vectors: Floats
    frame_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Joints:
    """The joint states of one topic.

    Attributes:
        stamps_ns: (n,) int64.
        names: of the joints.
        positions: (n, joints) [rad].
        velocities: (n, joints) [rad/s]; NaN where none was given.
    """

    stamps_ns: Stamps
    names: tuple[str, ...]
    positions: Floats
    velocities: Floats


@dataclass(frozen=True, kw_only=True, slots=True)
class Locations:
    """Where the tracker saw the object.

    Attributes:
        stamps_ns: (n,) int64.
        positions: (n, 3) in the tray frame [m]; NaN where not valid.
        valid: (n,) bool.
    """

    stamps_ns: Stamps
    positions: Floats
    valid: npt.NDArray[np.bool_]
