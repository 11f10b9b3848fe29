"""The tray that an arm holds, behind the driver that every tray has."""

import time
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from tiltbot_ros.arms.commands import Command
from tiltbot_ros.arms.guard import GuardedArm
from tiltbot_ros.arms.held import TiltTable
from tiltbot_ros.arms.held_settings import HeldTraySettings
from tiltbot_ros.arms.moves import JointMove
from tiltbot_ros.arms.tray import TrayReading
from tiltbot_ros.errors import DeviceError

COMMANDER = "tray"
ARRIVED_RAD = 1e-3
MEASURED_RAD = 0.02
ARRIVAL_S = 3.0


class ArmTray:
    """Tilts with an arm's joints; every call of `command` is one tick of the arm."""

    def __init__(
        self,
        guarded: GuardedArm,
        table: TiltTable,
        settings: HeldTraySettings,
        *,
        clock: Callable[[], int],
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Connect the arm and bring the tray level; blocks.

        Args:
            guarded: the arm, not connected yet.
            table: joints of every tilt.
            settings: how far the arm may go to the level pose by itself.
            clock: the ROS clock [ns].
            monotonic: a clock that only goes on [s].
            sleep: waits [s].

        Raises:
            MissingDependencyError: a library or program of the arm is not installed.
            DeviceError: the arm does not answer, has a fault, or is far from level.
        """
        self._guarded = guarded
        self._table = table
        self._settings = settings
        self._clock = clock
        self._monotonic = monotonic
        self._sleep = sleep
        self._sequence = 0
        self._commanded: NDArray[np.float64] | None = None
        self._commanded_s = 0.0
        guarded.connect()
        try:
            guarded.take(COMMANDER, monotonic())
            self._approach()
        except BaseException:
            guarded.close()
            raise

    @property
    def fault(self) -> str:
        """Why the arm would not follow; empty when it would."""
        return self._guarded.stream.reference.reason if self._guarded.phase == "fault" else ""

    def command(self, rotation: NDArray[np.float64]) -> None:
        """Set the reference: rotation vector (2,) in tray_level [rad].

        Raises:
            DeviceError: the connection is lost; the arm was told to stop.
        """
        reach = self._table.max_tilt_rad
        self._follow(self._table.joints(np.clip(rotation, -reach, reach)))

    def read(self) -> TrayReading:
        """Return the state of the last tick."""
        state = self._guarded.state
        return TrayReading(
            stamp_ns=state.stamp_ns,
            rotation=self._table.rotation(state.positions),
            joint_names=self._guarded.arm.joint_names,
            joint_positions=state.positions,
            joint_velocities=state.velocities,
        )

    def recover(self) -> None:
        """Clear the arm's fault and bring the tray level; blocks.

        Raises:
            DeviceError: the fault stays, or the arm is far from level.
        """
        self._guarded.recover()
        self._approach()

    def figures(self) -> Mapping[str, float | int | str]:
        """Return what the diagnostics show."""
        return self._guarded.figures()

    def close(self) -> None:
        """Stop, hold, and let go of the arm."""
        self._guarded.close()

    def _follow(self, joints: NDArray[np.float64]) -> None:
        now_s = self._monotonic()
        self._sequence += 1
        before = joints if self._commanded is None else self._commanded
        period_s = 1.0 / self._guarded.arm.rate_hz
        passed_s = min(max(now_s - self._commanded_s, 0.5 * period_s), 0.1)
        self._guarded.take(COMMANDER, now_s)
        self._guarded.offer(
            Command(
                commander=COMMANDER,
                sequence=self._sequence,
                stamp_ns=(now_ns := self._clock()),
                position=joints,
                # Where the target is going: with it the arm follows without lag.
                velocity=(joints - before) / passed_s,
            ),
            now_s=now_s,
            now_ns=now_ns,
        )
        self._commanded, self._commanded_s = joints, now_s
        self._guarded.tick(now_s)

    def _approach(self) -> None:
        """Go to the level pose at a walking pace."""
        fault = self._guarded.state.fault
        if fault:
            raise DeviceError(f"the arm cannot move: {fault}")
        start, level = self._guarded.state.positions, self._table.level_joints
        distance = np.abs(level - start)
        worst = int(distance.argmax())
        if distance[worst] > self._settings.approach_rad:
            raise DeviceError(
                f"expected the arm near its level pose, but "
                f"{self._guarded.arm.joint_names[worst]} is {distance[worst]:.2f} rad away: bring "
                f"it within {self._settings.approach_rad:g} rad by hand, or raise "
                f"held.approach_rad and keep clear"
            )
        move = JointMove(
            start,
            level,
            limits=self._guarded.stream.limits,
            speed_rad_s=self._settings.approach_rad_s,
        )
        self._commanded = None
        period_s = 1.0 / self._guarded.arm.rate_hz
        due_s = begun_s = self._monotonic()
        while not self._arrived(level):
            elapsed_s = self._monotonic() - begun_s
            if elapsed_s > 2.0 * move.duration_s + ARRIVAL_S:
                raise DeviceError(
                    f"expected the arm at its level pose after {elapsed_s:.1f} s, but it is not"
                )
            self._follow(move.position(elapsed_s))
            if self.fault:
                raise DeviceError(f"the arm stopped on the way to its level pose: {self.fault}")
            now_s = self._monotonic()
            due_s = max(due_s + period_s, now_s)
            self._sleep(due_s - now_s)
        self._commanded = None

    def _arrived(self, level: NDArray[np.float64]) -> bool:
        told = self._guarded.stream.reference.position
        measured = self._guarded.state.positions
        return bool(
            np.abs(told - level).max() < ARRIVED_RAD
            and np.abs(measured - level).max() < MEASURED_RAD
        )
