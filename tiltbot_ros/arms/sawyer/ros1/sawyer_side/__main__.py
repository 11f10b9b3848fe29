"""The loop of the side process: `python3 -m sawyer_side --socket PATH ...`."""

from __future__ import annotations

import argparse
import collections
import contextlib
import math
import os
import platform
import select
import signal
import socket
import sys
import time
import traceback
from typing import Any

from . import wire
from .motion import BRAKING, Motion
from .robot import Requests, Robot, RobotError

LONGEST_TEXT = 4000
BRAKE_PERIOD_S = 0.01
QUIET_PERIOD_S = 0.05
CLOCKS_AGREE_NS = 200_000_000


class Reference:
    """One reference of the node, checked."""

    def __init__(self, fields: dict[str, Any], joints: int) -> None:
        self.position = wire.numbers(fields, "q", joints)
        self.velocity = wire.numbers(fields, "dq", joints)
        self.number = wire.integer(fields, "n")
        self.sent_s = wire.numbers({"sent_s": [fields.get("sent_s")]}, "sent_s", 1)[0]


class Side:
    """Everything between one connection and one robot."""

    def __init__(self, connection: socket.socket, options: argparse.Namespace) -> None:
        self._connection = connection
        self._options = options
        self._wake_out, self._wake_in = os.pipe()
        os.set_blocking(self._wake_in, False)
        os.set_blocking(self._wake_out, False)
        self._finished: collections.deque[tuple[int, str]] = collections.deque()
        self._robot = Robot(options.limb, self._wake)
        self._requests = Requests(self._done)
        self._motion = Motion([options.braking] * len(self._robot.joints), options.watchdog)
        self._sent_s = 0.0
        self._count = 0
        self._dropped = 0
        self._malformed = 0
        self._command = -1
        self._ending = False
        signal.signal(signal.SIGTERM, self._end)

    def run(self) -> int:
        """Serve until the node says goodbye or is gone; the robot stands then."""
        self._robot.begin(self._options.speed_ratio, self._options.robot_timeout)
        self._send(
            "hello",
            protocol=wire.PROTOCOL,
            sdk=self._robot.sdk,
            python=platform.python_version(),
            joints=self._robot.joints,
        )
        try:
            while self._serve() and not self._ending:
                pass
        except wire.GoneError as error:
            tell(f"the node is gone: {error}")
        finally:
            self._rest()
        return 0

    def _rest(self) -> None:
        """Leave a robot that stands, however the loop ended."""
        self._motion.stop()
        while self._motion.due(time.monotonic()):
            self._brake()
            time.sleep(BRAKE_PERIOD_S)
        # Who only looked has told nothing that would have to be ended.
        if self._command >= 0:
            self._robot.hold(self._options.robot_timeout)
            time.sleep(0.1)  # rospy publishes from a thread of its own

    def _serve(self) -> bool:
        braking = self._motion.phase == BRAKING
        timeout = BRAKE_PERIOD_S if braking else min(QUIET_PERIOD_S, self._options.watchdog / 4)
        sources = [self._connection.fileno(), self._wake_out]
        ready, _, _ = select.select(sources, [], [], timeout)
        if self._wake_out in ready:
            with contextlib.suppress(BlockingIOError):
                os.read(self._wake_out, 4096)
        going_on = self._take() if sources[0] in ready else True
        while self._finished:
            number, failure = self._finished.popleft()
            self._send("done", id=number, ok=not failure, text=failure)
        if self._motion.due(time.monotonic()):
            self._brake()
        self._tell(self._wake_out in ready)
        return going_on

    def _take(self) -> bool:
        """Take every packet that is there; only the newest reference counts."""
        newest = None
        while True:
            try:
                fields = wire.receive(self._connection)
                if fields is None:
                    break
                if fields["kind"] == "bye":
                    return False
                newest = self._sort(fields, newest)
            except wire.GoneError:
                raise
            except wire.WireError:
                self._malformed += 1
        if newest is not None:
            self._follow(newest)
        return True

    def _sort(self, fields: dict[str, Any], newest: Reference | None) -> Reference | None:
        """Do what a packet says, or return the reference that it is."""
        kind = fields["kind"]
        if kind == "reference":
            return Reference(fields, len(self._robot.joints))
        if kind == "stop":
            self._motion.stop()
            return None
        if kind != "request":
            raise wire.WireError(f"expected a reference, stop, request or bye, got '{kind}'")
        self._request(fields)
        return newest

    def _follow(self, reference: Reference) -> None:
        # A command that waits in a robot that is switched off or held by its stop
        # would be carried out at the moment somebody releases it.
        if self._robot.moves():
            self._motion.follow(reference.position, reference.velocity, time.monotonic())
            self._robot.command(reference.position)
        else:
            self._dropped += 1
            self._motion.forget()
        self._command = reference.number
        # Both clocks are this computer's monotonic one.
        delay_s = time.monotonic() - reference.sent_s
        self._send("ack", n=self._command, delay_s=delay_s)

    def _brake(self) -> None:
        if not self._robot.moves():
            self._motion.forget()
            return
        position, stands = self._motion.brake(time.monotonic())
        self._robot.command(position)
        if stands:
            self._robot.hold(self._options.robot_timeout)

    def _request(self, fields: dict[str, Any]) -> None:
        number, action = wire.integer(fields, "id"), fields.get("do")
        works = {"enable": self._robot.enable, "disable": self._robot.disable}
        if action not in works:
            self._send("done", id=number, ok=False, text=f"expected one of {sorted(works)}")
        elif not self._requests.run(number, works[action]):
            self._send("done", id=number, ok=False, text="another request is under way")

    def _tell(self, fresh: bool) -> None:
        """Send the state with every reading of the robot, and now and then without one."""
        now_s = time.monotonic()
        reading = self._robot.newest
        if reading is None or (not fresh and now_s - self._sent_s < QUIET_PERIOD_S):
            return
        self._sent_s = now_s
        self._count += 1
        # The robot's clock is taken when it is set by the same time server as ours.
        apart = reading.wall_ns - reading.stamp_ns
        stamp_ns = reading.stamp_ns if abs(apart) < CLOCKS_AGREE_NS else reading.wall_ns
        self._send(
            "state",
            count=self._count,
            stamp_ns=stamp_ns,
            clocks_apart_s=apart * 1e-9,
            sent_s=now_s,
            age_s=now_s - reading.at_s,
            q=reading.positions,
            dq=reading.velocities,
            tau=[value if math.isfinite(value) else 0.0 for value in reading.efforts],
            phase=self._motion.phase,
            command=self._command,
            timeouts=self._motion.timeouts,
            dropped=self._dropped,
            malformed=self._malformed,
            **self._robot.status(),
        )

    def _send(self, kind: str, **fields: Any) -> None:
        wire.send(self._connection, wire.pack(kind, **fields))

    def _end(self, *_: object) -> None:
        self._ending = True
        self._wake()

    def _wake(self) -> None:
        # A full pipe means that the loop has not yet read the last ones.
        with contextlib.suppress(BlockingIOError):
            os.write(self._wake_in, b".")

    def _done(self, number: int, failure: str) -> None:
        self._finished.append((number, failure))
        self._wake()


def tell(text: str) -> None:
    """Write a line into the log that the node keeps."""
    sys.stderr.write(f"sawyer_side: {text}\n")


def options() -> argparse.Namespace:
    """Parse the command line, which the node writes."""
    parser = argparse.ArgumentParser(prog="sawyer_side", description=__doc__)
    parser.add_argument("--socket", required=True, help="path of the node's socket")
    parser.add_argument("--limb", default="right")
    parser.add_argument("--speed-ratio", type=float, default=0.3)
    parser.add_argument("--watchdog", type=float, default=0.1, help="[s]")
    parser.add_argument("--robot-timeout", type=float, default=0.2, help="[s]")
    parser.add_argument("--braking", type=float, default=2.5, help="[rad/s2]")
    return parser.parse_args()


def main() -> int:
    """Connect to the node, then to the robot."""
    chosen = options()
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    connection.connect(chosen.socket)
    connection.setblocking(False)
    try:
        return Side(connection, chosen).run()
    except RobotError as error:
        cause, text = error.cause, str(error)
    except Exception as error:  # noqa: BLE001 - the node tells it, with the traceback of the log
        cause, text = "broken", f"the side process broke: {type(error).__name__}: {error}"
        tell(traceback.format_exc())
    tell(text)
    with contextlib.suppress(wire.WireError):
        wire.send(connection, wire.pack("failed", cause=cause, text=text[:LONGEST_TEXT]))
    return 1


if __name__ == "__main__":
    sys.exit(main())
