"""The simulated table: an object that rests, and a stick that pushes it."""

import math
from dataclasses import dataclass

import mujoco
import numpy as np
from numpy.typing import NDArray

from tiltbot_ros.errors import WorldError
from tiltbot_ros.worlds.objects import ObjectSpec
from tiltbot_ros.worlds.pushing import Push, PushSettings, StraightPath
from tiltbot_ros.worlds.table_model import TableSettings, build_table
from tiltbot_ros.worlds.tray_state import Snapshot

_PARKED_M = (2.0, 2.0)
"""Where the stick waits: outside every picture."""

_RESTING_S = 0.1
_RATE_HZ = 100
_STICK = slice(0, 2)
_PLACE = slice(2, 5)
_TURN = slice(5, 9)
_MOVES = slice(2, 8)


@dataclass(frozen=True, kw_only=True, slots=True)
class ObjectPose:
    """Where the object is.

    Attributes:
        position: (3,) of its origin, the centre of its bounding box, in the table's frame [m].
        yaw: turn about the vertical, -pi .. pi [rad].
        upright: cosine of the angle between its own up and the vertical.
    """

    position: NDArray[np.float64]
    yaw: float
    upright: float


@dataclass(frozen=True, kw_only=True, slots=True)
class PushTrack:
    """What happened in a push, at 100 Hz.

    Attributes:
        time_s: (k,) since the stick began [s].
        stick: (k, 2) position of the stick [m].
        position: (k, 3) of the object's origin [m].
        speed: (k,) of the object's origin [m/s].
        energy: (k,) kinetic and potential energy of the object [J].
        stick_stopped_s: when the stick had come to the end of its path [s].
        rested: whether the object came to rest in time.
    """

    time_s: NDArray[np.float64]
    stick: NDArray[np.float64]
    position: NDArray[np.float64]
    speed: NDArray[np.float64]
    energy: NDArray[np.float64]
    stick_stopped_s: float
    rested: bool


class TableWorld:
    """A table with one object, or with none.

    Everything is a function of the settings and of the calls; nothing in here is random.

    Args:
        settings: physics.
        spec: the object, None for an empty table.
    """

    def __init__(
        self, settings: TableSettings | None = None, spec: ObjectSpec | None = None
    ) -> None:
        self.settings = settings or TableSettings()
        self.table = build_table(self.settings, spec)
        self._data = mujoco.MjData(self.table.model)
        self._product = np.zeros(self.table.model.nv)
        self._lead_s = self.settings.stick_damping_n_s_m / self.settings.stick_stiffness_n_m
        self._park()
        mujoco.mj_forward(self.table.model, self._data)

    def place(self, position: NDArray[np.float64], yaw: float, *, settle_s: float = 0.0) -> None:
        """Put the object down at rest, with the stick out of the way.

        Args:
            position: (2,) of its origin [m].
            yaw: turn about the vertical [rad].
            settle_s: how long to wait then [s].

        Raises:
            WorldError: the table is empty.
        """
        self._need_object()
        mujoco.mj_resetData(self.table.model, self._data)
        self._park()
        self._data.qpos[_PLACE] = [*position, self.table.rest_height]
        self._data.qpos[_TURN] = [math.cos(yaw / 2), 0.0, 0.0, math.sin(yaw / 2)]
        mujoco.mj_forward(self.table.model, self._data)
        for _ in range(round(settle_s / self.settings.step_s)):
            mujoco.mj_step(self.table.model, self._data)
        self._check()

    def slide(self, velocity: NDArray[np.float64]) -> None:
        """Give the object a velocity (2,) along the table [m/s]."""
        self._need_object()
        self._data.qvel[_MOVES] = [*velocity, 0.0, 0.0, 0.0, 0.0]
        mujoco.mj_forward(self.table.model, self._data)

    def push(self, push: Push, settings: PushSettings) -> PushTrack:
        """Push, then wait until the object rests; the stick stays where it stopped.

        Raises:
            WorldError: the table is empty, or the physics has become unstable.
        """
        path = StraightPath(
            push, speed_m_s=settings.speed_m_s, acceleration_m_s2=settings.acceleration_m_s2
        )
        self._data.qpos[_STICK] = push.start
        self._data.qvel[_STICK] = 0.0
        return self.wait(settings, path=path)

    def wait(self, settings: PushSettings, *, path: StraightPath | None = None) -> PushTrack:
        """Go on until the object rests, moving the stick along `path` meanwhile.

        Raises:
            WorldError: the table is empty, or the physics has become unstable.
        """
        self._need_object()
        model, data, step_s = self.table.model, self._data, self.settings.step_s
        ends_s = path.duration_s if path is not None else 0.0
        every = max(1, round(1.0 / (_RATE_HZ * step_s)))
        needed = round(_RESTING_S / step_s)
        rows: list[tuple[float, ...]] = []
        slow = step = 0
        while slow < needed and step * step_s < ends_s + settings.longest_rest_s:
            if step % every == 0:
                rows.append(self._row(step * step_s))
            if path is not None:
                at, velocity = path.at(step * step_s)
                # Leading by damping / stiffness times the speed cancels the servo's lag.
                data.ctrl[_STICK] = at + self._lead_s * velocity
            mujoco.mj_step(model, data)
            step += 1
            still = self._speed() < settings.rest_speed_m_s and step * step_s > ends_s
            slow = slow + 1 if still else 0
        rows.append(self._row(step * step_s))
        self._check()
        table = np.array(rows)
        return PushTrack(
            time_s=table[:, 0],
            stick=table[:, 1:3],
            position=table[:, 3:6],
            speed=table[:, 6],
            energy=table[:, 7],
            stick_stopped_s=ends_s,
            rested=slow >= needed,
        )

    @property
    def pose(self) -> ObjectPose:
        """Where the object is now.

        Raises:
            WorldError: the table is empty.
        """
        self._need_object()
        w, x, y, z = self._data.qpos[_TURN]
        return ObjectPose(
            position=self._data.qpos[_PLACE].copy(),
            yaw=math.atan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z)),
            upright=float(1 - 2 * (x * x + y * y)),
        )

    def snapshot(self, *, frame: int, stick: bool = False) -> Snapshot:
        """Return what a camera needs.

        Args:
            frame: number of the picture; its noise follows from it.
            stick: draw the stick where it is; otherwise it is out of the way.
        """
        qpos = self._data.qpos.copy()
        if not stick:
            qpos[_STICK] = _PARKED_M
        return Snapshot(placement=0, qpos=qpos, frame=frame)

    def _park(self) -> None:
        self._data.qpos[_STICK] = _PARKED_M
        self._data.ctrl[_STICK] = _PARKED_M

    def _row(self, time_s: float) -> tuple[float, ...]:
        qpos = self._data.qpos
        return (time_s, *qpos[_STICK], *qpos[_PLACE], self._speed(), self._energy())

    def _speed(self) -> float:
        return float(np.linalg.norm(self._data.qvel[2:5]))

    def _energy(self) -> float:
        """Return the object's kinetic energy and what gravity would give it at the table [J]."""
        model, data = self.table.model, self._data
        moves = data.qvel.copy()
        moves[_STICK] = 0.0
        mujoco.mj_mulM(model, data, self._product, moves)
        weight = float(model.body("object").mass[0]) * self.settings.gravity_m_s2
        centre = float(data.body("object").xipos[2])
        return 0.5 * float(moves @ self._product) + weight * centre

    def _need_object(self) -> None:
        if self.table.spec is None:
            raise WorldError("expected an object on the table, it is empty")

    def _check(self) -> None:
        bad = self._data.warning[mujoco.mjtWarning.mjWARN_BADQACC].number
        if bad or not np.isfinite(self._data.qpos).all():
            name = self.table.spec.name if self.table.spec is not None else "the empty table"
            raise WorldError(f"the physics of {name} became unstable: use a smaller step_s")
