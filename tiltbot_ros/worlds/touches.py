"""From a physics log to what the sound needs: touches, friction, servo rates."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tiltbot_ros.worlds.hinges import angular_velocity, orientation
from tiltbot_ros.worlds.knocks import Touches
from tiltbot_ros.worlds.tray_model import INNER_M, SURFACES, sensor_rows

_NORMALS: NDArray[np.float64] = np.array(
    [[-1, 0, 0], [0, -1, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], dtype=np.float64
)
"""Normals (5, 3) of the surfaces in the tray frame, towards the object."""

_ROLLING_SHARE = 0.25
"""Noise of rolling relative to sliding at the same speed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PhysicsLog:
    """States and sensors of K steps.

    Attributes:
        first_step: index of the first.
        qpos: (K, 2 or 9) hinges, then position and quaternion of the object in `tray_level`.
        qvel: (K, 2 or 8) hinge rates, linear (world) and angular (body) velocity.
        sensors: (K, 0 or 35) contact sensors, see TrayModel.
    """

    first_step: int
    qpos: NDArray[np.float64]
    qvel: NDArray[np.float64]
    sensors: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Felt:
    """What K steps mean for the sound.

    Attributes:
        touches: forces by surface, None for the empty tray.
        friction: (K,) mu N v^0.8 [N (m/s)^0.8].
        position: (K, 3) centre of the floor's contact in the tray frame [m].
        rate: (K,) absolute rate of the hinges [rad/s].
    """

    touches: Touches | None
    friction: NDArray[np.float64]
    position: NDArray[np.float64]
    rate: NDArray[np.float64]


def quaternion_matrix(quaternion: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return rotation matrices (..., 3, 3) of unit quaternions (..., 4), w first."""
    w, x, y, z = np.moveaxis(quaternion, -1, 0)
    x2, y2, z2 = 2 * x, 2 * y, 2 * z
    wx, wy, wz, xx, yy, zz = w * x2, w * y2, w * z2, x * x2, y * y2, z * z2
    xy, xz, yz = x * y2, x * z2, y * z2
    matrix = np.empty((*quaternion.shape[:-1], 3, 3))
    matrix[..., 0, 0], matrix[..., 0, 1], matrix[..., 0, 2] = 1 - yy - zz, xy - wz, xz + wy
    matrix[..., 1, 0], matrix[..., 1, 1], matrix[..., 1, 2] = xy + wz, 1 - xx - zz, yz - wx
    matrix[..., 2, 0], matrix[..., 2, 1], matrix[..., 2, 2] = xz - wy, yz + wx, 1 - xx - yy
    return matrix


def feel(log: PhysicsLog, *, friction: float, weight_n: float) -> Felt:
    """Read forces, slip and rates out of a log.

    Args:
        log: of consecutive steps.
        friction: sliding coefficient.
        weight_n: of the object; friction noise counts at most twice that force on a
            surface, because the force of an impact is heard as a knock already [N].
    """
    hinges, rates = log.qpos[:, :2], log.qvel[:, :2]
    rate = np.sqrt(rates[:, 0] ** 2 + rates[:, 1] ** 2)
    rate = np.where(rate > 2e-3, rate, 0.0)
    count = len(rate)
    if log.sensors.shape[1] == 0:
        zero = np.zeros(count)
        return Felt(touches=None, friction=zero, position=np.zeros((count, 3)), rate=rate)
    back = np.swapaxes(orientation(hinges), 1, 2)
    sensors = sensor_rows(log.sensors)
    found = sensors[:, :, 0] > 0
    centre = log.qpos[:, 2:5]
    reach = np.where(found[..., None], sensors[:, :, 4:7] - centre[:, None], 0.0)
    force = _turn(back, sensors[:, :, 1:4])
    normal = np.maximum((force * _NORMALS).sum(axis=2), 0.0)
    normal = np.where(found, normal, 0.0)

    body = quaternion_matrix(log.qpos[:, 5:9])
    spin = _turn(body, log.qvel[:, None, 5:8])[:, 0]
    turning = angular_velocity(hinges, rates)
    world_slip = (
        log.qvel[:, None, 2:5]
        + _cross(spin[:, None], reach)
        - _cross(turning[:, None], centre[:, None] + reach)
    )
    slip = _turn(back, world_slip)
    approach = -(slip * _NORMALS).sum(axis=2)
    tangential = slip + approach[..., None] * _NORMALS
    speed = np.sqrt((tangential**2).sum(axis=2))
    travel = _turn(back, (log.qvel[:, 2:5] - _cross(turning, centre))[:, None])[:, 0]
    rolling = np.sqrt(travel[:, 0] ** 2 + travel[:, 1] ** 2)
    quiet = 5e-3  # creep of soft contacts is not motion
    slide = np.where(speed > quiet, speed, 0.0) ** 0.8
    roll = np.where(rolling > quiet, rolling, 0.0) ** 0.8
    pressed = np.minimum(normal, 2.0 * weight_n)
    noise = friction * ((pressed * slide).sum(axis=1) + _ROLLING_SHARE * pressed[:, 4] * roll)
    position = _turn(back, centre[:, None] + reach)
    limit = INNER_M / 2
    touches = Touches(
        first_step=log.first_step,
        force=normal,
        position=np.clip(position, -limit, limit),
        point=_turn(np.swapaxes(body, 1, 2), reach),
        approach=approach,
    )
    return Felt(touches=touches, friction=noise, position=position[:, len(SURFACES) - 1], rate=rate)


def _cross(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the cross product over the last axis, a third of np.cross's time."""
    result = np.empty(np.broadcast_shapes(a.shape, b.shape))
    result[..., 0] = a[..., 1] * b[..., 2] - a[..., 2] * b[..., 1]
    result[..., 1] = a[..., 2] * b[..., 0] - a[..., 0] * b[..., 2]
    result[..., 2] = a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    return result


def _turn(matrix: NDArray[np.float64], vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Apply (K, 3, 3) to (K, N, 3), element by element: the same for any K."""
    return np.asarray(
        matrix[:, None, :, 0] * vectors[..., 0:1]
        + matrix[:, None, :, 1] * vectors[..., 1:2]
        + matrix[:, None, :, 2] * vectors[..., 2:3]
    )
