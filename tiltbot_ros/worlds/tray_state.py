"""What the simulated tray tells: states, contacts, and chunks of both."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True, slots=True)
class TrueContact:
    """A contact as the physics knows it.

    Attributes:
        frame: sound frame of its peak on the loudest microphone.
        wall: "+x", "+y", "-x", "-y", or "floor" for a knock on the floor.
        impulse: [N s].
        position: (3,) in the tray frame [m].
        speed: of approach along the normal [m/s].
        level: expected peak, without noise and clipping, as a fraction of full scale.
    """

    frame: int
    wall: str
    impulse: float
    position: NDArray[np.float64]
    speed: float
    level: float


@dataclass(frozen=True, kw_only=True, slots=True)
class TrayState:
    """The tray and its object at one instant.

    Attributes:
        time_s: since the world began [s].
        rotation: (3,) rotation vector tray_level <- tray, yaw residue included [rad].
        tilt: (2,) rotation vector (rx, ry) that has this tray normal: what `command` takes [rad].
        angular_velocity: (3,) of the tray in `tray_level` [rad/s].
        joint_position: (2,) angles of the outer (x) and the inner (y) hinge [rad].
        joint_velocity: (2,) [rad/s].
        object_position: (3,) of the object's origin in the tray frame [m], None when empty.
        object_quaternion: (4,) tray <- object, w first, None when empty.
    """

    time_s: float
    rotation: NDArray[np.float64]
    tilt: NDArray[np.float64]
    angular_velocity: NDArray[np.float64]
    joint_position: NDArray[np.float64]
    joint_velocity: NDArray[np.float64]
    object_position: NDArray[np.float64] | None
    object_quaternion: NDArray[np.float64] | None


@dataclass(frozen=True, kw_only=True, slots=True)
class TrayTrack:
    """States at 100 Hz.

    Attributes:
        frame: (N,) sound frame of each state.
        tilt: (N, 2) rotation vector of the tray's normal [rad].
        joint_position: (N, 2) [rad].
        joint_velocity: (N, 2) [rad/s].
        object_position: (N, 3) in the tray frame [m]; NaN when empty.
    """

    frame: NDArray[np.int64]
    tilt: NDArray[np.float64]
    joint_position: NDArray[np.float64]
    joint_velocity: NDArray[np.float64]
    object_position: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class WorldChunk:
    """What happened in one advance.

    Attributes:
        first_frame: running index of its first sound frame.
        samples: (frames, 4) int16, microphones +x, +y, -x, -y.
        contacts: those whose peak lies in these frames, in order.
        track: the 100 Hz states that lie in these frames.
    """

    first_frame: int
    samples: NDArray[np.int16]
    contacts: tuple[TrueContact, ...]
    track: TrayTrack


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """All that a camera needs to draw the world at one instant.

    Attributes:
        placement: running number of the placement; a new one has a new model.
        qpos: MuJoCo's generalised positions.
        frame: sound frame of the instant.
    """

    placement: int
    qpos: NDArray[np.float64]
    frame: int
