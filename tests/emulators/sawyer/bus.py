"""The robot's network for the emulated SDK: a unix socket, and a thread that is the robot."""

import contextlib
import json
import select
import socket
import threading
import time
from pathlib import Path
from typing import Self

from tests.emulators.sawyer.robot import JOINTS, SawyerRobot

SDK = Path(__file__).parent / "sdk"
PERIOD_S = 0.01


class RobotOnABus:
    """Runs a robot at 100 Hz and speaks to the SDKs that connect to it."""

    def __init__(self, folder: Path, robot: SawyerRobot | None = None) -> None:
        self.robot = robot or SawyerRobot()
        self.path = folder / "robot"
        self.silent = False
        self.deaf = False
        self.clock_offset_s = 0.0
        self._clients: list[socket.socket] = []
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listener.bind(str(self.path))
        self._listener.listen(4)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        for connection in [*self._clients, self._listener]:
            connection.close()

    @property
    def clients(self) -> int:
        """How many SDKs, or bridges to ROS 1, are connected."""
        return len(self._clients)

    def _run(self) -> None:
        due = last = time.monotonic()
        while not self._stop.is_set():
            wait = max(0.0, due - time.monotonic())
            ready, _, _ = select.select([self._listener, *self._clients], [], [], wait)
            for source in ready:
                if source is self._listener:
                    self._clients.append(self._listener.accept()[0])
                else:
                    self._take(source)
            now = time.monotonic()
            if now >= due:
                self.robot.step(now - last)
                due, last = max(due + PERIOD_S, now), now
                if not self.silent:
                    self._tell()

    def _take(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            data = client.recv(65536)
            if data:
                self._act(**json.loads(data))
                return
        self._clients.remove(client)
        client.close()

    def _act(self, topic: str, data: object) -> None:
        robot = self.robot
        if self.deaf:
            return
        if topic == "joint_command":
            robot.command(**data)
        elif topic == "set_speed_ratio":
            robot.speed_ratio = min(max(data, 0.0), 1.0)
        elif topic == "joint_command_timeout":
            robot.command_timeout_s = data
        elif topic == "set_super_enable":
            robot.set_enabled(data)
        elif topic == "set_super_reset":
            robot.reset()

    def _tell(self) -> None:
        with self.robot.lock:
            packet = {
                "stamp": time.time_ns() + int(self.clock_offset_s * 1e9),
                # The head's joint comes with the arm's.
                "name": ["head_pan", *JOINTS],
                "position": [0.0, *self.robot.positions],
                "velocity": [0.0, *self.robot.velocities],
                "effort": [0.0] * 8,
                "status": self.robot.status(),
            }
        data = json.dumps(packet).encode()
        for client in list(self._clients):
            try:
                client.send(data, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
            except BlockingIOError:
                continue  # a stopped process does not read
            except OSError:
                self._clients.remove(client)
