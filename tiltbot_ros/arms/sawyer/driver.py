"""Sawyer behind the protocol of an arm: talks to its side process, never to ROS 1."""

import contextlib
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiltbot_ros.arms.arm import ArmState, Gripper, ToolPose
from tiltbot_ros.arms.commands import Space
from tiltbot_ros.arms.sawyer.process import SideProcess
from tiltbot_ros.arms.sawyer.ros1.sawyer_side import wire
from tiltbot_ros.arms.sawyer.settings import SawyerSettings
from tiltbot_ros.arms.sawyer.state import SideState
from tiltbot_ros.errors import DeviceError, MissingDependencyError

JOINTS = tuple(f"right_j{number}" for number in range(7))
REQUEST_S = 15.0

_MISSING = {"ros1", "sdk", "messages"}


class SawyerArm:
    """One Sawyer. See docs/sawyer.md for what stands behind it."""

    name = "sawyer"
    joint_names = JOINTS
    spaces: frozenset[Space] = frozenset({"joint"})
    gripper: Gripper | None = None

    def __init__(self, settings: SawyerSettings, *, rate_hz: float = 100.0) -> None:
        """Make a driver that is not connected.

        Args:
            settings: of the side process.
            rate_hz: references a second [Hz].
        """
        self._settings = settings
        self.rate_hz = rate_hz
        self._side: SideProcess | None = None
        self._state: SideState | None = None
        self._sent = 0
        self._requests = 0
        self._answers: dict[int, dict[str, Any]] = {}
        self.delays_s: deque[float] = deque(maxlen=1000)
        self.sdk = ""

    def connect(self) -> None:
        """Start the side process and wait for the robot's first joint state."""
        if self._side is not None:
            raise DeviceError("expected a Sawyer that is not connected yet: close it first")
        self._side = SideProcess(self._settings)
        try:
            self._await(lambda: self._state is not None, self._settings.start_s, "a joint state")
            if self._settings.enable and not self._current().enabled:
                self._request("enable")
        except BaseException:
            self.close()
            raise

    def state(self) -> ArmState:
        """Return the newest joint state, not older than `state_timeout_s`."""
        self._read()
        state = self._current()
        silent_s = time.monotonic() - state.sent_s
        if silent_s > self._settings.state_timeout_s:
            raise DeviceError(
                f"the side process of Sawyer is silent for {silent_s:.2f} s: "
                f"{self._connected().ending()}"
            )
        if state.age_s + silent_s > self._settings.state_timeout_s:
            raise DeviceError(
                f"the robot sends no joint states for {state.age_s + silent_s:.2f} s: look at its "
                f"network and whether it has rebooted"
            )
        return ArmState(
            stamp_ns=state.stamp_ns,
            positions=np.array(state.positions),
            velocities=np.array(state.velocities),
            efforts=np.array(state.efforts),
            tool=ToolPose(position=np.array(state.tool_position), rotation=state.tool_rotation()),
            enabled=state.enabled,
            fault=state.fault(),
            stopped_by_hand=state.stopped_by_hand(),
            interruptions=state.timeouts,
            details={
                "side process": state.phase,
                "stops of the side process": state.timeouts,
                "packets refused by the side process": state.malformed,
                "references dropped": state.dropped,
                "references, longest way [ms]": round(1e3 * max(self.delays_s, default=0.0), 1),
                "age of joint states [ms]": round(1e3 * state.age_s, 1),
                "clock of the robot behind [ms]": round(1e3 * state.clocks_apart_s, 1),
            },
        )

    def stream_joints(self, position: NDArray[np.float64], velocity: NDArray[np.float64]) -> None:
        """Send one reference."""
        self._sent += 1
        self._send(
            "reference",
            n=self._sent,
            sent_s=time.monotonic(),
            q=position.tolist(),
            dq=velocity.tolist(),
        )

    def stream_pose(self, pose: NDArray[np.float64], velocity: NDArray[np.float64]) -> None:  # noqa: ARG002
        """Refuse: Sawyer takes joint positions."""
        raise DeviceError("Sawyer takes joint positions, no poses: use a stream of joints")

    def stop(self) -> None:
        """Let the side process brake the robot; it also does so when it hears nothing."""
        if self._side is not None:
            with contextlib.suppress(wire.WireError):
                wire.send(self._side.connection, wire.pack("stop"))

    def recover(self) -> None:
        """Reset the robot and switch its joints on."""
        self._read()
        state = self._current()
        if state.stopped_by_hand():
            raise DeviceError(state.fault())
        self._request("enable")
        self._await(lambda: not self._current().fault(), 2.0, "a robot without a fault")

    def close(self) -> None:
        """Let the side process brake the robot and end."""
        side, self._side, self._state = self._side, None, None
        if side is not None:
            side.close()

    def _request(self, action: str) -> None:
        self._requests += 1
        number = self._requests
        self._send("request", id=number, do=action)
        self._await(lambda: number in self._answers, REQUEST_S, f"an answer to '{action}'")
        answer = self._answers.pop(number)
        if not answer.get("ok"):
            raise DeviceError(f"Sawyer refused to {action}: {answer.get('text')}")

    def _await(self, condition: Callable[[], bool], timeout_s: float, what: str) -> None:
        deadline = time.monotonic() + timeout_s
        while True:
            self._read()
            if condition():
                return
            if time.monotonic() > deadline:
                raise DeviceError(
                    f"expected {what} from Sawyer within {timeout_s:g} s: "
                    f"{self._connected().ending()}"
                )
            time.sleep(0.002)

    def _read(self) -> None:
        side = self._connected()
        try:
            while (fields := wire.receive(side.connection)) is not None:
                self._handle(fields)
        except wire.WireError as error:
            raise DeviceError(
                f"the connection to the side process of Sawyer is lost ({error}): {side.ending()}"
            ) from error

    def _handle(self, fields: dict[str, Any]) -> None:
        kind = fields["kind"]
        if kind == "state":
            self._state = SideState.read(fields, len(JOINTS))
        elif kind == "ack":
            self.delays_s.append(float(fields["delay_s"]))
        elif kind == "done":
            self._answers[int(fields.get("id", -1))] = fields
        elif kind == "hello":
            self._greet(fields)
        elif kind == "failed":
            error = MissingDependencyError if fields.get("cause") in _MISSING else DeviceError
            raise error(f"Sawyer: {fields.get('text')}")

    def _greet(self, fields: dict[str, Any]) -> None:
        if fields.get("protocol") != wire.PROTOCOL:
            raise DeviceError(
                f"expected protocol {wire.PROTOCOL} of the side process, got "
                f"{fields.get('protocol')}: both come with this package, reinstall it"
            )
        if tuple(fields.get("joints", ())) != JOINTS:
            raise DeviceError(
                f"expected the joints {', '.join(JOINTS)}, but the robot has "
                f"{fields.get('joints')}: is it a Sawyer?"
            )
        self.sdk = str(fields.get("sdk", ""))

    def _send(self, kind: str, **fields: Any) -> None:
        side = self._connected()
        try:
            wire.send(side.connection, wire.pack(kind, **fields))
        except wire.WireError as error:
            raise DeviceError(
                f"the side process of Sawyer does not take '{kind}' ({error}): {side.ending()}"
            ) from error

    def _connected(self) -> SideProcess:
        if self._side is None:
            raise DeviceError("expected a connected Sawyer: connect it first")
        return self._side

    def _current(self) -> SideState:
        if self._state is None:
            raise DeviceError("expected a joint state of Sawyer, but none has come: connect it")
        return self._state
