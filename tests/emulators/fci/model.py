"""The FR3 as numbers: kinematics, masses and limits, and the arm that moves by them.

Facts from frankarobotics/libfranka, test/fr3.urdf, which is what the controller itself
answers to "get robot model"; those of the hand from Franka's data sheet.
"""

from dataclasses import dataclass

import mujoco
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

STEP_S = 0.001
NEUTRAL = (0.0, -np.pi / 4, 0.0, -3 * np.pi / 4, 0.0, np.pi / 2, np.pi / 4)

_HALF = np.pi / 2
# Each joint: turn about x and place from the last one, range, speed, effort, offset and
# deceleration of the speed that is allowed near the ends of the range.
_JOINTS = (
    (0.0, (0, 0, 0.333), (-2.7501, 2.7501), 2.62, 87.0, 0.30, 6.0),
    (-_HALF, (0, 0, 0), (-1.7918, 1.7918), 2.62, 87.0, 0.20, 2.585),
    (_HALF, (0, -0.316, 0), (-2.9065, 2.9065), 2.62, 87.0, 0.20, 3.5),
    (_HALF, (0.0825, 0, 0), (-3.0481, -0.1458), 2.62, 87.0, 0.30, 4.0),
    (-_HALF, (-0.0825, 0.384, 0), (-2.8101, 2.8101), 5.26, 12.0, 0.35, 17.0),
    (_HALF, (0, 0, 0), (0.54092, 4.5205), 4.18, 12.0, 0.35, 5.5),
    (_HALF, (0.088, 0, 0), (-3.0196, 3.0196), 5.26, 12.0, 0.35, 17.0),
)
# Each link: centre of mass, mass, and xx, xy, xz, yy, yz, zz of its inertia.
_LINKS = (
    ((-0.0172, 0.0004, 0.0745), 2.3966, (0.009, 0, 0.002, 0.0115, 0, 0.0085)),
    (
        (4.128e-07, -0.0181251324, -0.038603597),
        2.9274653454,
        (0.0239273165, 1.33179e-05, -0.0001140477, 0.0224821613, -0.0019950321, 0.0063500983),
    ),
    (
        (0.0031828864, -0.0743221644, 0.0088146084),
        2.9355370338,
        (0.0419389463, 0.0002025733, 0.0040777842, 0.0251451488, -0.0042252158, 0.0617021447),
    ),
    (
        (0.0407015686, -0.0048200565, -0.0289730823),
        2.2449013699,
        (0.0241014255, 0.0024046946, -0.0028562693, 0.0197405327, -0.0021042127, 0.0190444945),
    ),
    (
        (-0.0459100965, 0.063049296, -0.0085187868),
        2.6155955791,
        (0.0345299832, 0.0132255227, 0.01015143, 0.0288816219, -0.0009762834, 0.0412547117),
    ),
    (
        (-0.0016039605, 0.0292536262, -0.097296599),
        2.3271207594,
        (0.0516102785, -0.0057151734, -0.0035673168, 0.0478772971, 0.0106739851, 0.0164236256),
    ),
    (
        (0.0597131221, -0.0410294666, -0.0101692726),
        1.8170376524,
        (0.0054123336, 0.0061934564, 0.0014219289, 0.0140583295, -0.0013140754, 0.0160808179),
    ),
    (
        (0.0045225817, 0.0086261921, -0.0161633251),
        0.6271432862,
        (0.0002109239, -2.43330e-05, 4.56448e-05, 0.0001771857, 8.74407e-05, 5.99319e-05),
    ),
)
FLANGE_M = 0.107
VELOCITY = np.array([joint[3] for joint in _JOINTS])
EFFORT = np.array([joint[4] for joint in _JOINTS])

HAND_MASS_KG = 0.73
HAND_CENTRE_M = (-0.01, 0.0, 0.03)
HAND_INERTIA = (0.001, 0.0025, 0.0017)


def _turned(angle: float, height_m: float) -> Array:
    """Return a turn about z and a shift along it, (4, 4)."""
    matrix = np.eye(4)
    matrix[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    matrix[2, 3] = height_m
    return matrix


FLANGE_TO_TOOL: Array = _turned(-np.pi / 4, 0.1034)
"""Where the fingertips of the hand are."""


def _inertial(centre: tuple[float, ...], mass: float, inertia: tuple[float, ...]) -> str:
    xx, xy, xz, yy, yz, zz = inertia
    return (
        f'<inertial><origin rpy="0 0 0" xyz="{_xyz(centre)}"/><mass value="{mass}"/>'
        f'<inertia ixx="{xx}" ixy="{xy}" ixz="{xz}" iyy="{yy}" iyz="{yz}" izz="{zz}"/></inertial>'
    )


def _xyz(numbers: tuple[float, ...]) -> str:
    return " ".join(f"{number:g}" for number in numbers)


def urdf(*, hand: bool) -> str:
    """Return the arm as URDF; the controller's own has no hand, since that is told apart."""
    parts = ['<robot name="fr3">', '<link name="base"/>']
    parts += [
        f'<link name="link{number}">{_inertial(*link)}</link>' for number, link in enumerate(_LINKS)
    ]
    parts.append(
        '<joint name="base_joint" type="fixed"><parent link="base"/><child link="link0"/></joint>'
    )
    for number, (turn, place, reach, speed, effort, offset, braking) in enumerate(_JOINTS, 1):
        parts.append(
            f'<joint name="joint{number}" type="revolute">'
            f'<origin rpy="{turn} 0 0" xyz="{_xyz(place)}"/>'
            f'<parent link="link{number - 1}"/><child link="link{number}"/><axis xyz="0 0 1"/>'
            f'<limit lower="{reach[0]}" upper="{reach[1]}" velocity="{speed}" effort="{effort}"/>'
            f'<position_based_velocity_limits velocity_offset="{offset}" '
            f'deceleration_limit="{braking}"/></joint>'
        )
    mass = ""
    if hand:
        xx, yy, zz = HAND_INERTIA
        mass = _inertial(HAND_CENTRE_M, HAND_MASS_KG, (xx, 0, 0, yy, 0, zz))
    parts.append(f'<link name="link8">{mass}</link>')
    parts.append(
        '<joint name="joint8" type="fixed"><parent link="link7"/><child link="link8"/>'
        f'<origin rpy="0 0 0" xyz="0 0 {FLANGE_M}"/></joint></robot>'
    )
    return "".join(parts)


@dataclass(frozen=True, kw_only=True, slots=True)
class Feel:
    """What the arm feels besides its motors.

    Attributes:
        damping: of every joint, what friction compensation leaves [Nm s/rad].
        braking: share of the speed that is left after a millisecond of the brakes.
    """

    damping: float = 0.3
    braking: float = 0.97


class Body:
    """Rigid bodies and motors; gravity is compensated, as by the controller."""

    def __init__(self, feel: Feel = Feel()) -> None:
        self._model = mujoco.MjModel.from_xml_string(urdf(hand=True))
        self._model.opt.timestep = STEP_S
        self._model.opt.gravity[:] = 0.0
        self._model.opt.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
        self._model.dof_damping[:] = feel.damping
        self._data = mujoco.MjData(self._model)
        self._last = self._model.body("link7").id
        self._braking = feel.braking
        self.place(np.array(NEUTRAL))

    @property
    def q(self) -> Array:
        """Joints (7,) [rad]."""
        return self._data.qpos

    @property
    def dq(self) -> Array:
        """Their speeds (7,) [rad/s]."""
        return self._data.qvel

    def place(self, q: Array) -> None:
        """Stand at joints (7,)."""
        self._data.qpos[:] = q
        self._data.qvel[:] = 0.0
        mujoco.mj_forward(self._model, self._data)

    def push(self, force: Array) -> None:
        """Push link 7 with a force (3,) in the base frame, until told otherwise [N]."""
        self._data.xfrc_applied[self._last, :3] = force

    def step(self, torque: Array) -> None:
        """Go on for a millisecond under torques (7,) [Nm]."""
        self._data.qfrc_applied[:] = torque
        mujoco.mj_step(self._model, self._data)

    def brake(self) -> None:
        """Go on for a millisecond with the brakes on."""
        self._data.qvel[:] *= self._braking
        self._data.qvel[np.abs(self._data.qvel) < 1e-4] = 0.0
        if self._data.qvel.any():
            self._data.qpos[:] += STEP_S * self._data.qvel
            mujoco.mj_kinematics(self._model, self._data)

    def tool(self) -> Array:
        """Return the pose of the tool (4, 4) in the base frame."""
        link = np.eye(4)
        link[:3, :3] = self._data.xmat[self._last].reshape(3, 3)
        link[:3, 3] = self._data.xpos[self._last] + FLANGE_M * link[:3, 2]
        return link @ FLANGE_TO_TOOL
