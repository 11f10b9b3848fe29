"""A tray in an arm's hand: which joints tilt it, worked out before anything moves."""

from dataclasses import dataclass
from pathlib import Path

import mujoco
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RectBivariateSpline
from scipy.spatial.transform import Rotation

from tiltbot_ros.arms.arm import ToolPose
from tiltbot_ros.arms.held_settings import HeldTraySettings
from tiltbot_ros.arms.kinematics import ArmModel, load_model
from tiltbot_ros.arms.limits import AxisLimits, robots_directory
from tiltbot_ros.arms.tilts import PEAK_ACCELERATION, PEAK_SPEED, TiltSettings
from tiltbot_ros.errors import ConfigError, LimitError

Array = NDArray[np.float64]

NODES = 13
BEYOND = 1.15
MOST_UNLEVEL_RAD = 0.1


def held_tray_model(settings: HeldTraySettings, *, robot: str, joints: tuple[str, ...]) -> ArmModel:
    """Return the arm with the tray in its hand; its site is the tray's frame.

    Args:
        settings: of the tray.
        robot: name of the file in config/robots.
        joints: names of the arm's joints.

    Raises:
        ConfigError: there is no model, or it has no such hand or joints.
    """
    path = Path(settings.model).expanduser()
    if not settings.model:
        path = robots_directory() / f"{robot}.xml"
        if not path.is_file():
            raise ConfigError(
                f"expected a model of '{robot}': name its MJCF or URDF in held.model, such as "
                f"that of MuJoCo's menagerie"
            )
    spec = load_model(path)
    site, body = spec.site(settings.hand), spec.body(settings.hand)
    if site is None and body is None:
        names = ", ".join([each.name for each in [*spec.sites, *spec.bodies] if each.name])
        raise ConfigError(f"expected held.hand among {names}, got '{settings.hand}'")
    frame = np.eye(4)
    if site is not None:
        body = site.parent
        placed = spec.compile().site(settings.hand)
        frame[:3, :3] = Rotation.from_quat(placed.quat, scalar_first=True).as_matrix()
        frame[:3, 3] = placed.pos
    tray = np.eye(4)
    tray[:3, :3] = Rotation.from_rotvec(settings.rotation_rad).as_matrix()
    tray[:3, 3] = settings.offset_m
    place = frame @ tray
    held = body.add_body(
        name="held_tray",
        pos=place[:3, 3],
        quat=Rotation.from_matrix(place[:3, :3]).as_quat(scalar_first=True),
    )
    held.add_site(name="held_tray")
    # The floor's upper face is the frame's origin; a centimetre of it is below.
    half, below = settings.side_m / 2, 0.01
    held.add_geom(
        name="held_tray",
        type=mujoco.mjtGeom.mjGEOM_BOX,
        size=[half, half, settings.depth_m / 2],
        pos=[0.0, 0.0, settings.depth_m / 2 - below],
    )
    return ArmModel(spec.compile(), joints=joints, site="held_tray")


@dataclass(frozen=True, kw_only=True, slots=True)
class Demand:
    """What the tilts of a rig ask of the joints, as shares of their limits.

    Attributes:
        speed: of the greatest speed, the worst joint.
        acceleration: of the greatest acceleration, the worst joint.
        speed_joint: which joint.
        acceleration_joint: which joint.
    """

    speed: float
    acceleration: float
    speed_joint: str
    acceleration_joint: str


class TiltTable:
    """Joint positions of every tilt in a box: solved on a grid, smooth in between.

    The tray turns about the centre of its floor. Nothing is solved while the arm
    moves: what could fail has failed before.
    """

    def __init__(
        self, model: ArmModel, *, level_joints: Array, max_tilt_rad: float, limits: AxisLimits
    ) -> None:
        """Solve the grid and check it.

        Args:
            model: of the arm with its tray.
            level_joints: (n,) about level [rad].
            max_tilt_rad: half the side of the box of tilts [rad].
            limits: of the joints on this rig.

        Raises:
            LimitError: a tilt is out of reach, leaves a joint's range, or lets the
                tray hit the arm.
            ConfigError: the joints are not about level.
            MissingDependencyError: mink or daqp is not installed.
        """
        self._model = model
        self._limits = limits
        self._level = self._levelled(model.tool(level_joints))
        self.level_joints = model.solve(self._level, seed=level_joints)
        self.max_tilt_rad = max_tilt_rad
        reach = BEYOND * max_tilt_rad
        self._axis = np.linspace(-reach, reach, NODES)
        grid = self._solved()
        self._splines = [
            RectBivariateSpline(self._axis, self._axis, grid[:, :, joint])
            for joint in range(grid.shape[2])
        ]
        self._check_between()

    @property
    def level(self) -> ToolPose:
        """The tray's pose when level, in the base: the frame `tray_level`."""
        return self._level

    @property
    def span_rad(self) -> float:
        """The farthest that a joint moves from one tilt of the box to another [rad]."""
        spans = [np.ptp(spline(self._axis, self._axis)) for spline in self._splines]
        return float(max(spans))

    def joints(self, rotation: Array) -> Array:
        """Return joint positions (n,) [rad] of a rotation vector (2,) in tray_level [rad]."""
        rx, ry = (float(value) for value in rotation)
        return np.array([spline(rx, ry, grid=False) for spline in self._splines], dtype=np.float64)

    def rotation(self, positions: Array) -> Array:
        """Return the tray's rotation vector (3,) in tray_level at joint positions [rad]."""
        turned = self._level.rotation.T @ self._model.tool(positions).rotation
        vector: Array = Rotation.from_matrix(turned).as_rotvec()
        return vector

    def demand(self, tilt: TiltSettings) -> Demand:
        """Return what the fastest tilts of a rig ask of the joints."""
        shortest_s = min(tilt.ramp_s, tilt.return_s)
        slope = self._slope()
        speed = slope * PEAK_SPEED * tilt.max_tilt_rad / shortest_s / self._limits.velocity
        push = slope * PEAK_ACCELERATION * tilt.max_tilt_rad / shortest_s**2
        push /= self._limits.acceleration
        return Demand(
            speed=float(speed.max()),
            acceleration=float(push.max()),
            speed_joint=self._limits.names[int(speed.argmax())],
            acceleration_joint=self._limits.names[int(push.argmax())],
        )

    def require(self, tilt: TiltSettings) -> None:
        """Check that the joints can follow the tilts of a rig.

        Raises:
            ConfigError: they cannot; the message says how slow a tilt has to be.
        """
        demand = self.demand(tilt)
        shortest_s = min(tilt.ramp_s, tilt.return_s)
        needed_s = shortest_s * max(demand.speed, demand.acceleration**0.5)
        if needed_s > shortest_s:
            raise ConfigError(
                f"expected tilts that the joints can follow, but a ramp of {shortest_s:g} s asks "
                f"for {100 * demand.speed:.0f} % of the speed of {demand.speed_joint} and "
                f"{100 * demand.acceleration:.0f} % of the acceleration of "
                f"{demand.acceleration_joint}: set tilt.ramp_s and tilt.return_s to at least "
                f"{np.ceil(100 * needed_s) / 100:g} s, or raise guard.speed_ratio and "
                f"guard.acceleration_ratio"
            )

    def _slope(self) -> Array:
        """Return (n,) the greatest change of each joint per angle of tilt, any direction."""
        axis = self._axis
        steep = [
            np.hypot(spline(axis, axis, dx=1), spline(axis, axis, dy=1)).max()
            for spline in self._splines
        ]
        return np.array(steep)

    def _levelled(self, pose: ToolPose) -> ToolPose:
        up = pose.rotation[:, 2]
        off = float(np.arccos(np.clip(up[2], -1.0, 1.0)))
        if off > MOST_UNLEVEL_RAD:
            raise ConfigError(
                f"expected held.level_joints_rad to hold the tray level within "
                f"{MOST_UNLEVEL_RAD:g} rad, but its floor is {off:.2f} rad off: read the joints "
                f"again with the tray level, and check held.rotation_rad"
            )
        turn = np.cross(up, [0.0, 0.0, 1.0])
        length = float(np.linalg.norm(turn))
        vector = turn * (off / length) if length > 1e-12 else np.zeros(3)
        upright = Rotation.from_rotvec(vector).as_matrix() @ pose.rotation
        return ToolPose(position=pose.position, rotation=upright)

    def _pose(self, rx: float, ry: float) -> ToolPose:
        turned = self._level.rotation @ Rotation.from_rotvec([rx, ry, 0.0]).as_matrix()
        return ToolPose(position=self._level.position, rotation=turned)

    def _solved(self) -> Array:
        """Return (NODES, NODES, n), each node solved from the one before it."""
        axis = self._axis
        grid = np.zeros((NODES, NODES, len(self.level_joints)))
        middle = NODES // 2
        for row in sorted(range(NODES), key=lambda i: abs(i - middle)):
            for column in sorted(range(NODES), key=lambda j: abs(j - middle)):
                # The level posture as the seed keeps the free joint where it is.
                grid[row, column] = self._model.solve(
                    self._pose(axis[row], axis[column]), seed=self.level_joints
                )
                self._check(grid[row, column], axis[row], axis[column])
        return grid

    def _check(self, joints: Array, rx: float, ry: float) -> None:
        limits = self._limits
        outside = [
            f"{name} at {at:.3f} rad ({low:.3f} .. {high:.3f})"
            for name, at, low, high in zip(
                limits.names, joints, limits.lower, limits.upper, strict=True
            )
            if not low <= at <= high
        ]
        hits = [pair for pair in self._model.touching(joints) if "held_tray" in pair]
        if outside or hits:
            others = [name for pair in hits for name in pair if name != "held_tray"]
            why = "; ".join([*outside, *(f"the tray hits {name}" for name in others)])
            raise LimitError(
                f"expected the whole box of tilts within reach, but at ({rx:.2f}, {ry:.2f}) rad: "
                f"{why}. Choose other held.level_joints_rad or a smaller tilt.max_tilt_rad"
            )

    def _check_between(self) -> None:
        """Check the smooth surface where it is farthest from what was solved."""
        between = (self._axis[1:] + self._axis[:-1]) / 2
        for rx in between:
            for ry in between:
                wanted = self._pose(rx, ry)
                tool = self._model.tool(self.joints(np.array([rx, ry])))
                turned = Rotation.from_matrix(wanted.rotation.T @ tool.rotation).magnitude()
                moved = float(np.linalg.norm(tool.position - wanted.position))
                if turned > 2e-3 or moved > 2e-3:
                    raise LimitError(
                        f"expected smooth joints over the box of tilts, but between solved tilts "
                        f"the tray is off by {turned:.4f} rad and {1e3 * moved:.1f} mm at "
                        f"({rx:.2f}, {ry:.2f}) rad: choose other held.level_joints_rad"
                    )
