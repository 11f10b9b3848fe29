"""Kinova's Gen3 behind the protocol of an arm: trajectories out, joint states in. No ROS here."""

import contextlib
import time
from collections import deque
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tiltbot_ros.arms.arm import ArmState, Gripper
from tiltbot_ros.arms.commands import Space
from tiltbot_ros.arms.kinova.gripper import KinovaGripper
from tiltbot_ros.arms.kinova.link import JOINTS, JointReading, Knot, KortexLink
from tiltbot_ros.arms.kinova.plan import Plan
from tiltbot_ros.arms.kinova.settings import KinovaSettings
from tiltbot_ros.arms.kinova.turns import nearest_turn
from tiltbot_ros.arms.stream import MOST_STEPS
from tiltbot_ros.errors import DeviceError

Array = NDArray[np.float64]

CLOCKS_APART_S = 0.2
OFFSETS, SAME, SET_BACK_NS = 400, 5, 50_000_000
"""Readings that the clocks are compared by; how many of them show a clock that was set back."""

RESET_S = 5.0

WAY = 0.25
"""Share of the latency that is for the way of a message; the rest is for late cycles."""

BEHIND_RAD, BEHIND_S = 0.03, 0.05
"""How far joints may be from what they were told: so much, and so long a way behind.

Kinova's actuators fault at 5 degrees (user guide, actuator safeties, following error)."""

LEFT, LEFT_S = 3, 3.0
"""So often within so long a time behind is a fault."""

MOST_PERIODS = 8.0
"""How many cycles an arm takes at most to be again where it is told to be."""


class KinovaArm:
    """One Gen3 with seven joints that takes joint trajectories.

    Every reference is sent as a short trajectory: where the arm has been told to be, the
    reference, and a stop after it. See docs/kinova.md.
    """

    name = "kinova"
    joint_names = JOINTS
    spaces: frozenset[Space] = frozenset({"joint"})

    def __init__(
        self,
        settings: KinovaSettings,
        link: KortexLink,
        *,
        rate_hz: float = 50.0,
        clock: Callable[[], int] = time.time_ns,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make a driver that is not connected.

        Args:
            settings: of the topics and times.
            link: to ros2_kortex.
            rate_hz: references a second [Hz].
            clock: the ROS clock, for stamps [ns].
            monotonic: a clock that only goes on [s].
        """
        self.rate_hz = rate_hz
        self._settings = settings
        self._link = link
        self._clock, self._monotonic = clock, monotonic
        self._open = False
        self._turned: Array | None = None
        self._plan: Plan | None = None
        self._told: Knot | None = None
        self._asked = (b"", b"")
        self._sent_s = 0.0
        self._offsets: deque[int] = deque(maxlen=OFFSETS)
        self._last: JointReading | None = None
        self._left_s: deque[float] = deque(maxlen=LEFT)
        self._fault = ""
        self._interruptions = 0
        self.sent = 0
        self.late = 0
        self.blind = 0
        self._gripper = None if settings.gripper == "none" else KinovaGripper(settings, link)

    @property
    def gripper(self) -> Gripper | None:
        """The Robotiq gripper, or None."""
        return self._gripper

    def connect(self) -> None:
        """Wait for the controllers and a joint state; nothing is sent."""
        if self._open:
            raise DeviceError("expected a Kinova that is not connected yet: close it first")
        try:
            self._link.open(timeout_s=self._settings.start_s)
            self._open = True
            self._forget()
            self.state()
        except BaseException:
            self.close()
            raise

    def state(self) -> ArmState:
        """Return the newest joint state, not older than `state_timeout_s`."""
        reading, now_s = self._reading(), self._monotonic()
        told = self._told
        if self._plan and told and told.velocities.any() and now_s > self._plan.end_s:
            # It has carried out the stop at the end of its trajectory.
            self._interruptions += 1
            self._told = None
        # Joints without ends are told within one turn; all others never leave it.
        if self._turned is None:
            self._turned = reading.positions
        self._turned = positions = nearest_turn(reading.positions, self._turned)
        behind = self._watch(positions, reading.velocities, now_s)
        stamp_ns, apart_s = self._stamped(reading, now_s)
        return ArmState(
            stamp_ns=stamp_ns,
            positions=positions.copy(),
            velocities=reading.velocities.copy(),
            efforts=reading.efforts.copy(),
            fault=self._link.fault() or self._fault,
            interruptions=self._interruptions,
            details={
                "trajectories": self.sent,
                "trajectories that came late": self.late,
                "references held back without joint states": self.blind,
                "stops at the end of a trajectory": self._interruptions,
                "age of joint states [ms]": round(1e3 * (now_s - reading.received_s), 1),
                "behind the trajectory [rad]": round(behind, 4),
                "clock of the controllers behind [ms]": round(1e3 * apart_s, 1),
            },
        )

    def stream_joints(self, position: Array, velocity: Array) -> None:
        """Send one reference."""
        if not (np.isfinite(position).all() and np.isfinite(velocity).all()):
            raise DeviceError(f"expected finite references for '{self.name}', got {position}")
        told, asked = self._told, (position.tobytes(), velocity.tobytes())
        if told is not None and asked == self._asked:
            return  # it holds, or this call came early
        now_s, period_s = self._monotonic(), 1.0 / self.rate_hz
        if self._last is not None and now_s - self._last.received_s > self._settings.blind_s:
            # Nobody knows whether the arm follows: its last trajectory ends at rest.
            self.blind += 1
            return
        # Half way between two references, with the velocity from one to the other: then the
        # cubics are parabolas, and no joint gets more speed or acceleration than they have.
        middle = position - 0.5 * period_s * velocity
        plan = self._plan or self._standing(now_s - period_s, position)
        moving = told is not None and bool(told.velocities.any())
        ready_s = now_s + (WAY if moving else 1.0) * self._settings.latency_s
        from_s = ready_s if told is None else max(told.time_s, ready_s)
        # The reference has gone on by as many cycles as have passed, as the scheduler has it.
        cycles = min(max(round((now_s - self._sent_s) / period_s), 1), MOST_STEPS) if moving else 1
        at_s = from_s + cycles * period_s
        if moving and told is not None and from_s > told.time_s:
            self.late += 1
            at_s = from_s + self._catching_up(plan.at(from_s), middle, velocity)
        target = Knot(time_s=at_s, positions=middle, velocities=velocity.copy())
        self._plan = plan.followed_by(
            target,
            from_s=from_s,
            past_s=now_s - 2.0 * period_s,
            deceleration_rad_s2=self._settings.braking_rad_s2,
        )
        self._told, self._asked, self._sent_s = target, asked, now_s
        self._send(now_s)

    def stream_pose(self, pose: Array, velocity: Array) -> None:  # noqa: ARG002
        """Refuse: it takes joint positions."""
        raise DeviceError("Kinova takes joint positions, no poses: use PoseByJoints")

    def stop(self) -> None:
        """Brake from what it does now."""
        if not self._open or self._plan is None:
            return
        now_s = self._monotonic()
        self._plan = self._plan.stopped(
            from_s=now_s + WAY * self._settings.latency_s,
            deceleration_rad_s2=self._settings.braking_rad_s2,
        )
        self._told = None
        with contextlib.suppress(DeviceError):
            self._send(now_s)

    def recover(self) -> None:
        """Clear the robot's faults where that is possible, and go on from where it stands."""
        self._connected().reset_fault(timeout_s=RESET_S)
        self._plan, self._told, self._fault = None, None, ""
        self._left_s.clear()
        fault = self._link.fault()
        if fault:
            raise DeviceError(fault)

    def close(self) -> None:
        """Brake, and disconnect."""
        self.stop()
        self._link.close()
        self._open = False
        self._forget()

    def _watch(self, positions: Array, velocities: Array, now_s: float) -> float:
        """Compare the joints with what they were told; return how far they are apart [rad].

        A trajectory that was lost, or came too late, leaves the arm behind: the next one would
        make it jump there. Then it brakes from where it is, and begins again.
        """
        if self._plan is None:
            return 0.0
        told = self._plan.at(now_s)
        behind = np.abs(told.positions - positions)
        far = (
            behind - BEHIND_RAD - BEHIND_S * np.maximum(np.abs(told.velocities), np.abs(velocities))
        )
        if (far > 0.0).any():
            worst = int(far.argmax())
            self._interruptions += 1
            here = Knot(time_s=now_s, positions=positions, velocities=velocities)
            self._plan, self._told = Plan([here]), None
            self._plan = self._plan.stopped(
                from_s=now_s + 1e-3, deceleration_rad_s2=self._settings.braking_rad_s2
            )
            self._send(now_s)
            self._left_s.append(now_s)
            if len(self._left_s) == LEFT and now_s - self._left_s[0] < LEFT_S:
                self._fault = (
                    f"{JOINTS[worst]} does not follow its trajectories ({behind[worst]:.2f} rad "
                    f"behind, {LEFT} times within {LEFT_S:g} s): look whether "
                    f"joint_trajectory_controller is active, for a fault of the robot on its web "
                    f"page, for an obstacle, then recover"
                )
        return float(behind.max())

    def _standing(self, since_s: float, position: Array) -> Plan:
        where = position if self._turned is None else self._turned
        return Plan([Knot(time_s=since_s, positions=where, velocities=np.zeros(len(JOINTS)))])

    def _catching_up(self, here: Knot, position: Array, velocity: Array) -> float:
        """Return how long an arm that has begun to brake takes to a reference [s].

        So long that it is pushed least; what was lost stays lost until it rests.
        """
        times_s = np.arange(1.0, MOST_PERIODS, 0.25)[:, None] / self.rate_hz
        way, start, end = position - here.positions, here.velocities, velocity
        first = np.abs(6.0 * way - (4.0 * start + 2.0 * end) * times_s)
        last = np.abs(6.0 * way - (2.0 * start + 4.0 * end) * times_s)
        push = (np.maximum(first, last) / times_s**2).max(axis=1)
        return float(times_s[push.argmin(), 0])

    def _send(self, now_s: float) -> None:
        plan = self._plan
        if plan is None:
            return
        link, offset_ns = self._connected(), self._offset_ns()
        if self._settings.stamped and offset_ns is not None:
            first_s = plan.knots[0].time_s
            start_ns, knots = round(first_s * 1e9) + offset_ns, plan.knots
        else:
            first_s, start_ns = now_s, None
            knots = (plan.at(now_s), *(k for k in plan.knots if k.time_s > now_s + 1e-3))
        link.send_trajectory(
            start_ns,
            [
                Knot(
                    time_s=knot.time_s - first_s,
                    positions=knot.positions,
                    velocities=knot.velocities,
                )
                for knot in knots
            ],
        )
        self.sent += 1

    def _reading(self) -> JointReading:
        reading = self._connected().reading()
        if reading is None:
            raise DeviceError(
                f"expected joint states on {self._settings.joint_states}, but none has come: is "
                f"joint_state_broadcaster active?"
            )
        silent_s = self._monotonic() - reading.received_s
        if silent_s > self._settings.state_timeout_s:
            raise DeviceError(
                f"no joint states of Kinova for {silent_s:.2f} s: look whether ros2_kortex runs, "
                f"and at the robot's network"
            )
        if not self._link.controllers():
            raise DeviceError(
                f"nobody takes {self._settings.trajectory}: activate joint_trajectory_controller "
                f"(ros2 control switch_controllers --activate joint_trajectory_controller)"
            )
        if not (np.isfinite(reading.positions).all() and np.isfinite(reading.velocities).all()):
            raise DeviceError("the joint states of Kinova are no numbers: restart ros2_kortex")
        if reading is not self._last and reading.stamp_ns > 0:
            self._offsets.append(reading.stamp_ns - round(reading.received_s * 1e9))
        self._last = reading
        return reading

    def _offset_ns(self) -> int | None:
        """Return the controllers' clock minus the monotonic one, by the quickest message [ns]."""
        if not self._offsets:
            return None
        quickest = max(self._offsets)
        newest = list(self._offsets)[-SAME:]
        if len(newest) == SAME and max(newest) < quickest - SET_BACK_NS:
            # Somebody has set their clock back.
            self._offsets.clear()
            self._offsets.extend(newest)
            return max(newest)
        return quickest

    def _stamped(self, reading: JointReading, now_s: float) -> tuple[int, float]:
        """Return the time of a reading on the ROS clock [ns], and how far the clocks differ [s]."""
        arrived_ns = self._clock() - round((now_s - reading.received_s) * 1e9)
        apart_s = (arrived_ns - reading.stamp_ns) * 1e-9
        return (reading.stamp_ns if abs(apart_s) < CLOCKS_APART_S else arrived_ns), apart_s

    def _connected(self) -> KortexLink:
        if not self._open:
            raise DeviceError("expected a connected Kinova: connect it first")
        return self._link

    def _forget(self) -> None:
        self._turned, self._plan, self._told, self._last = None, None, None, None
        self._fault = ""
        self._offsets.clear()
        self._left_s.clear()
