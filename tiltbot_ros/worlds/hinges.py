"""From a rotation vector to the two hinges that carry the tray, and back.

The outer hinge turns about x by `q1`, the inner one about the turned y by `q2`:
R = Rx(q1) Ry(q2). Two hinges reach every direction of the tray's normal, but
not every yaw: exp((rx, ry, 0)) is reached but for a turn about the normal.
The hinges are therefore chosen so that the *normal* is exact; the remaining
yaw is about rx ry / 2 and at most 53 mrad for a tilt of 0.45 rad.
"""

import math

import numpy as np
from numpy.typing import NDArray


def hinges_from_tilt(rotation_xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return hinge angles (2,) [rad] whose tray normal is that of exp((rx, ry, 0)).

    Args:
        rotation_xy: (2,) rotation vector in `tray_level` [rad], shorter than pi/2.
    """
    rx, ry = float(rotation_xy[0]), float(rotation_xy[1])
    angle = math.hypot(rx, ry)
    scale = math.sin(angle) / angle if angle > 1e-12 else 1.0
    return np.array([math.atan2(rx * scale, math.cos(angle)), math.asin(ry * scale)])


def tilt_from_hinges(hinges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the rotation vector (..., 2) [rad] with the normal that these hinges give.

    Args:
        hinges: (..., 2) angles of the outer and the inner hinge [rad].
    """
    q1, q2 = hinges[..., 0], hinges[..., 1]
    x, y = np.cos(q2) * np.sin(q1), np.sin(q2)
    sine = np.hypot(x, y)
    angle = np.arctan2(sine, np.cos(q1) * np.cos(q2))
    scale = np.where(sine > 1e-12, angle / np.maximum(sine, 1e-12), 1.0)
    return np.stack([x * scale, y * scale], axis=-1)


def orientation(hinges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the rotation matrices (..., 3, 3) tray_level <- tray of hinge angles (..., 2)."""
    c1, s1 = np.cos(hinges[..., 0]), np.sin(hinges[..., 0])
    c2, s2 = np.cos(hinges[..., 1]), np.sin(hinges[..., 1])
    matrix = np.zeros((*hinges.shape[:-1], 3, 3))
    matrix[..., 0, 0], matrix[..., 0, 2] = c2, s2
    matrix[..., 1, 0], matrix[..., 1, 1], matrix[..., 1, 2] = s1 * s2, c1, -s1 * c2
    matrix[..., 2, 0], matrix[..., 2, 1], matrix[..., 2, 2] = -c1 * s2, s1, c1 * c2
    return matrix


def rotation_vector(hinges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the full rotation vectors (..., 3) [rad], yaw residue included."""
    half1, half2 = hinges[..., 0] / 2, hinges[..., 1] / 2
    w = np.cos(half1) * np.cos(half2)
    vector = np.stack(
        [
            np.sin(half1) * np.cos(half2),
            np.cos(half1) * np.sin(half2),
            np.sin(half1) * np.sin(half2),
        ],
        axis=-1,
    )
    sine = np.linalg.norm(vector, axis=-1)
    scale = np.where(sine > 1e-12, 2 * np.arctan2(sine, w) / np.maximum(sine, 1e-12), 2.0)
    return vector * scale[..., None]


def angular_velocity(
    hinges: NDArray[np.float64], rates: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the tray's angular velocity (..., 3) in `tray_level` [rad/s].

    Args:
        hinges: (..., 2) hinge angles [rad].
        rates: (..., 2) hinge rates [rad/s].
    """
    inner = rates[..., 1]
    outer = hinges[..., 0]
    result = np.empty((*hinges.shape[:-1], 3))
    result[..., 0] = rates[..., 0]
    result[..., 1], result[..., 2] = inner * np.cos(outer), inner * np.sin(outer)
    return result
