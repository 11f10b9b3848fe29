"""The controller of the arm: states at 1 kHz, torques back in lock-step, reflexes."""

import time
from collections import deque
from struct import Struct

import numpy as np

from tests.emulators.fci import wire
from tests.emulators.fci.link import Link
from tests.emulators.fci.model import (
    FLANGE_TO_TOOL,
    HAND_CENTRE_M,
    HAND_INERTIA,
    HAND_MASS_KG,
    NEUTRAL,
    VELOCITY,
    Body,
    urdf,
)

LOST_PACKETS = 20
"""So many cycles in a row without a torque are a communication_constraints_violation."""

TORQUE_STEP = 1.05
"""Greatest change of a torque from cycle to cycle [Nm]; the robot allows 1000 Nm/s."""


class Controller:
    """One FR3. `cycle` is a millisecond of its life."""

    def __init__(self, address: str, *, wait_s: float) -> None:
        """Make one that stands and waits for a client.

        Args:
            address: it listens on.
            wait_s: longest wait for the torque of a cycle. Longer than a millisecond,
                the arm's time stands still meanwhile, so that a busy machine is no
                fault of the client; a millisecond is as strict as the robot [s].
        """
        self._link = Link(
            address,
            wire.ARM_PORT,
            header=wire.ARM_HEADER,
            commands=wire.ARM_COMMANDS,
            status=Struct("<B"),
        )
        self.body = Body()
        self._wait_s = wait_s
        self.reset()

    def reset(self) -> None:
        """Stand in the neutral pose with nobody connected, as after a start."""
        self._link.hang_up()
        self.body.place(np.array(NEUTRAL))
        self._state = np.zeros((), wire.STATE)
        self._state["F_T_EE"] = self._state["F_T_NE"] = FLANGE_TO_TOOL.T.ravel()
        self._state["NE_T_EE"] = self._state["EE_T_K"] = np.eye(4).ravel()
        self._state["m_ee"], self._state["F_x_Cee"] = HAND_MASS_KG, HAND_CENTRE_M
        self._state["I_ee"] = np.diag(HAND_INERTIA).ravel()
        self._mode = wire.MODE_IDLE
        self._errors: set[str] = set()
        self._reasons: set[str] = set()
        self._move: int | None = None
        self._recovery: int | None = None
        self._commanded = False
        self._torque = np.zeros(7)
        self._thresholds = np.full(wire.NUMBERS["set_collision_behavior"], 1e3)
        self._success = 1.0
        self.version = wire.ARM_VERSION
        self.settings: dict[str, list[float]] = {}
        self.requests: list[str] = []
        self.push = np.zeros(3)
        self.path: deque[tuple[float, ...]] = deque(maxlen=20_000)
        self.drop = self.deaf = self.late = 0
        self.late_s = 0.0
        self.mute = self.locked = False
        self.lost = self._lost_in_a_row = self.torques = 0
        self.steepest = 0.0

    @property
    def busy(self) -> bool:
        """Whether time has to go on: somebody listens, or the arm still moves."""
        return self._link.connected or bool(self.body.dq.any())

    def sockets(self) -> list:
        """What to wait for while it is not busy."""
        return self._link.sockets()

    def status(self) -> dict:
        """Return what a test may want to know."""
        return {
            "clock_s": 1e-3 * float(self._state["message_id"]),
            "mode": self._mode,
            "moving": self._move is not None,
            "errors": sorted(self._errors),
            "reasons": sorted(self._reasons),
            "connected": self._link.connected,
            "q": self.body.q.tolist(),
            "speed": float(np.abs(self.body.dq).max()),
            "tool": self.body.tool().ravel().tolist(),
            "settings": self.settings,
            "requests": self.requests,
            "lost": self.lost,
            "torques": self.torques,
            "steepest": self.steepest,
        }

    def hang_up(self) -> None:
        """End the connection, as when somebody leaves the FCI mode in Desk."""
        self._link.hang_up()

    def reflex(self, reason: str) -> None:
        """Stop the arm by a reflex."""
        status = wire.MOVE_REFLEX
        self._errors = {reason}
        self._reasons = {reason}
        self._end(wire.MODE_REFLEX, status)

    def press(self) -> None:
        """Press the emergency stop."""
        self._end(wire.MODE_USER_STOPPED, wire.MOVE_EMERGENCY)

    def release(self) -> None:
        """Release the emergency stop; by then the arm stands."""
        self.body.place(self.body.q.copy())
        self._mode = wire.MODE_IDLE

    def guide(self) -> None:
        """Hold the guiding button."""
        self._end(wire.MODE_GUIDING, wire.MOVE_ABORTED)

    def cycle(self) -> None:
        """Live for a millisecond."""
        for command, number, payload in self._link.requests():
            self._serve(command, number, payload)
        if self._move is not None and not self._link.connected:
            self.reflex("communication_constraints_violation")
        if self._recovery is not None and not self.body.dq.any():
            self._recover(self._recovery)
        self._tell()
        if self._move is None:
            self.body.brake()
        else:
            self._receive()
        if self._move is not None:
            self.body.step(self._torque)
            self._watch()
        clock_s = 1e-3 * float(self._state["message_id"])
        speed = float(np.abs(self.body.dq).max())
        self.path.append((time.monotonic(), clock_s, *self.body.tool()[:3, 3].tolist(), speed))

    def _tell(self) -> None:
        state = self._state
        state["message_id"] += 1
        moving = self._move is not None
        tool = self.body.tool().T.ravel()
        state["O_T_EE"] = state["O_T_EE_d"] = state["O_T_EE_c"] = tool
        state["q"] = state["q_d"] = state["theta"] = self.body.q
        state["dq"] = state["dq_d"] = state["dtheta"] = self.body.dq
        state["tau_J"] = state["tau_J_d"] = self._torque
        state["O_F_ext_hat_K"][:3] = self.push
        state["motion_generator_mode"] = wire.GENERATOR_NONE if moving else wire.GENERATOR_IDLE
        state["controller_mode"] = wire.CONTROLLER_EXTERNAL if moving else wire.CONTROLLER_OTHER
        state["robot_mode"] = self._mode
        state["control_command_success_rate"] = self._success if moving else 0.0
        for field, names in (("errors", self._errors), ("reflex_reason", self._reasons)):
            state[field] = 0
            for name in names:
                state[field][wire.ERRORS[name]] = 1
        if self.drop > 0:
            self.drop -= 1
            return
        if self.late > 0:
            self.late -= 1
            time.sleep(self.late_s)
        if not self.mute:
            self._link.send(state.tobytes())

    def _receive(self) -> None:
        """Take the torque that belongs to the state just told."""
        expected = int(self._state["message_id"])
        command = self._take(expected)
        if command is None:
            if not self._commanded:
                return
            self.lost += 1
            self._lost_in_a_row += 1
            self._success *= 0.99
            if self._lost_in_a_row >= LOST_PACKETS:
                self.reflex("communication_constraints_violation")
            return
        torque = command["tau_J_d"]
        if not np.isfinite(torque).all():
            self._end(wire.MODE_IDLE, wire.MOVE_INPUT_ERROR)
            return
        step = float(np.abs(torque - self._torque).max()) / (1 + self._lost_in_a_row)
        self.steepest = max(self.steepest, step)
        if step > TORQUE_STEP:
            self.reflex("controller_torque_discontinuity")
            return
        self._commanded = True
        self.torques += 1
        self._lost_in_a_row = 0
        self._success = 0.99 * self._success + 0.01
        self._torque = torque.copy()
        if command["torque_command_finished"]:
            self._end(wire.MODE_IDLE, wire.SUCCESS)

    def _take(self, expected: int) -> np.void | None:
        deadline = time.monotonic() + self._wait_s
        # Nobody sends a torque before it has seen that the motion runs.
        patience = self._wait_s if self._commanded else 0.0
        newest = None
        while True:
            self._link.udp.settimeout(max(patience, 1e-6))
            try:
                data = self._link.udp.recv(2048)
            except (TimeoutError, BlockingIOError):
                break
            if self.deaf > 0:
                break
            if len(data) == wire.COMMAND.itemsize:
                newest = np.frombuffer(data, wire.COMMAND)[0]
                if newest["message_id"] >= expected:
                    break
            patience = deadline - time.monotonic()
            if patience <= 0.0:
                break
        self.deaf = max(0, self.deaf - 1)
        return newest

    def _watch(self) -> None:
        """Look for what makes the robot stop by itself."""
        if (np.abs(self.body.dq) > VELOCITY).any():
            self.reflex("joint_velocity_violation")
        elif (np.abs(self.push) > self._thresholds[-6:-3]).any():
            self.reflex("cartesian_reflex")
        self.body.push(self.push)

    def _end(self, mode: int, status: int) -> None:
        if self._move is not None:
            self._link.answer("move", self._move, status)
        self._move, self._commanded = None, False
        self._torque = np.zeros(7)
        self._mode = mode
        self._lost_in_a_row = 0

    def _serve(self, command: str, number: int, payload: bytes) -> None:
        self.requests.append(command)
        if command == "connect":
            fits = self.version == wire.ARM_VERSION
            status = wire.SUCCESS if fits else wire.INCOMPATIBLE
            self._link.greet(number, payload, version=self.version, status=status)
        elif command == "get_robot_model":
            self._link.answer(command, number, wire.SUCCESS, urdf(hand=False).encode())
        elif command == "move":
            self._begin(number, payload)
        elif command == "stop_move":
            if self._move is not None:
                self._end(wire.MODE_IDLE, wire.MOVE_PREEMPTED)
            self._link.answer(command, number, wire.SUCCESS)
        elif command == "automatic_error_recovery":
            self._recovery = number
        else:
            self._link.answer(command, number, self._set(command, payload))

    def _set(self, command: str, payload: bytes) -> int:
        """Take numbers that the client sets; return the answer."""
        if self._move is not None or command not in wire.NUMBERS:
            return wire.NOT_POSSIBLE
        numbers = self.settings[command] = np.frombuffer(payload, "<f8").tolist()
        if command == "set_collision_behavior":
            self._thresholds = np.array(numbers)
        elif command == "set_load":
            self._state["m_load"], self._state["F_x_Cload"] = numbers[0], numbers[1:4]
            self._state["I_load"] = numbers[4:]
        return wire.SUCCESS

    def _recover(self, number: int) -> None:
        """Forget the errors, once the arm stands."""
        stopped = self._mode == wire.MODE_USER_STOPPED
        if self._mode == wire.MODE_REFLEX:
            self._mode, self._errors = wire.MODE_IDLE, set()
        status = wire.RECOVERY_EMERGENCY if stopped else wire.SUCCESS
        self._link.answer("automatic_error_recovery", number, status)
        self._recovery = None

    def _begin(self, number: int, payload: bytes) -> None:
        controller, generator = wire.MOVE_REQUEST.unpack(payload)[:2]
        torques = (wire.MOVE_CONTROLLER_EXTERNAL, wire.MOVE_GENERATOR_NONE)
        if (controller, generator) != torques:
            self._link.answer("move", number, wire.MOVE_INVALID)
        elif self._mode != wire.MODE_IDLE or self.locked:
            self._link.answer("move", number, wire.MOVE_NOT_POSSIBLE)
        else:
            self._move, self._mode, self._errors = number, wire.MODE_MOVE, set()
            self._torque, self._commanded = np.zeros(7), False
            self._link.answer("move", number, wire.MOVE_STARTED)
