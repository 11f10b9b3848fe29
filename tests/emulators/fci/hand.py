"""The Franka Hand: two fingers that open, close and feel whether something is between them."""

from struct import Struct

from tests.emulators.fci import wire
from tests.emulators.fci.link import Link

PERIOD_S = 0.02
"""Time between two states of the hand [s]."""

_GRASP = Struct("<5d")
_MOVE = Struct("<2d")


class Hand:
    """One hand; `step` is a period of its life."""

    def __init__(self, address: str) -> None:
        """Make one that waits for a client."""
        self._link = Link(
            address,
            wire.HAND_PORT,
            header=wire.HAND_HEADER,
            commands=wire.HAND_COMMANDS,
            status=Struct("<H"),
        )
        self.reset()

    def reset(self) -> None:
        """Be half open, homed, with nobody connected."""
        self._link.hang_up()
        self.width_m, self.most_m = 0.04, 0.08
        self.object_m = 0.0
        self.holds = self.stuck = False
        self.requests: list[tuple[str, tuple[float, ...]]] = []
        self._count = 0
        self._motion: tuple[str, int, float, float, float, float] | None = None

    @property
    def busy(self) -> bool:
        """Whether time has to go on."""
        return self._link.connected

    def sockets(self) -> list:
        """What to wait for while it is not busy."""
        return self._link.sockets()

    def hang_up(self) -> None:
        """End the connection."""
        self._link.hang_up()

    def step(self) -> None:
        """Live for a period."""
        for command, number, payload in self._link.requests():
            self._serve(command, number, payload)
        self._go()
        self._count += 1
        state = wire.HAND_STATE.pack(self._count, self.width_m, self.most_m, self.holds, 30)
        self._link.send(state)

    def _serve(self, command: str, number: int, payload: bytes) -> None:
        if command == "connect":
            self._link.greet(number, payload, version=wire.HAND_VERSION, status=wire.SUCCESS)
            return
        if self._motion is not None:
            self._finish(wire.HAND_ABORTED)
        if command == "stop":
            self.requests.append((command, ()))
            self._link.answer(command, number, wire.SUCCESS)
            return
        self.holds = False
        if command == "homing":
            self.requests.append((command, ()))
            self._motion = (command, number, self.most_m, 0.1, 0.0, 0.0)
        elif command == "move":
            width, speed = _MOVE.unpack(payload)
            self.requests.append((command, (width, speed)))
            self._motion = (command, number, width, speed, 0.0, 0.0)
        else:
            width, inner, outer, speed, force = _GRASP.unpack(payload)
            self.requests.append((command, (width, inner, outer, speed, force)))
            self._motion = (command, number, width, speed, inner, outer)

    def _go(self) -> None:
        """Move the fingers as far as they come in a period."""
        if self._motion is None or self.stuck:
            return
        command, _, target, speed, inner, outer = self._motion
        # A grasp closes until it meets something.
        end = self.object_m if command == "grasp" else max(target, self.object_m)
        reach = speed * PERIOD_S
        self.width_m += max(-reach, min(reach, end - self.width_m))
        if abs(self.width_m - end) > 1e-9:
            return
        if command != "grasp":
            reached = abs(self.width_m - target) < 1e-6
            self._finish(wire.SUCCESS if reached else wire.HAND_UNSUCCESSFUL)
            return
        self.holds = target - inner < self.width_m < target + outer
        self._finish(wire.SUCCESS if self.holds else wire.HAND_UNSUCCESSFUL)

    def _finish(self, status: int) -> None:
        if self._motion is not None:
            self._link.answer(self._motion[0], self._motion[1], status)
        self._motion = None
