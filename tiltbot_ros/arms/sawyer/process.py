"""Starts the side process under the Python of ROS 1, and knows how it ended."""

import contextlib
import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from tiltbot_ros.arms.sawyer.ros1.sawyer_side import wire
from tiltbot_ros.arms.sawyer.settings import SawyerSettings
from tiltbot_ros.errors import DeviceError, MissingDependencyError

ROS1_FOLDER = Path(__file__).parent / "ros1"
LAST_WORDS = 2000

_OF_ROS2 = (
    "AMENT_PREFIX_PATH",
    "CMAKE_PREFIX_PATH",
    "COLCON_PREFIX_PATH",
    "LD_LIBRARY_PATH",
    "PYTHONHOME",
    "PYTHONPATH",
    "ROS_DISTRO",
    "ROS_PYTHON_VERSION",
    "ROS_VERSION",
    "VIRTUAL_ENV",
    # Its presence tells the ROS 2 wheels that their libraries are found already.
    "_ROS_WHEELS_BOOTSTRAP_COMPLETE",
)


def side_environment(settings: SawyerSettings, inherited: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of the side process: nothing of ROS 2, what ROS 1 needs."""
    environment = {key: value for key, value in inherited.items() if key not in _OF_ROS2}
    folders = [str(Path(folder).expanduser()) for folder in settings.pythonpath]
    environment["PYTHONPATH"] = os.pathsep.join([str(ROS1_FOLDER), *folders])
    environment["PYTHONUNBUFFERED"] = "1"
    if settings.master_uri:
        environment["ROS_MASTER_URI"] = settings.master_uri
    if settings.ros_ip:
        environment["ROS_IP"] = settings.ros_ip
    return environment


class SideProcess:
    """One side process and the connection to it."""

    def __init__(self, settings: SawyerSettings) -> None:
        """Start it and wait until it connects, before it has spoken to the robot.

        Raises:
            MissingDependencyError: there is no such Python.
            DeviceError: it does not connect.
        """
        # A private folder, since everybody may connect to a socket whose folder they can enter.
        self._folder = tempfile.TemporaryDirectory(prefix="sawyer_")
        path = Path(self._folder.name) / "socket"
        self._log = Path(self._folder.name) / "log"
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        listener.bind(str(path))
        listener.listen(1)
        try:
            self.process = self._start(settings, path)
            self.connection = self._accept(listener, settings.start_s)
        except BaseException:
            self._folder.cleanup()
            raise
        finally:
            listener.close()

    def _start(self, settings: SawyerSettings, path: Path) -> subprocess.Popen[bytes]:
        command = [
            settings.python, "-m", "sawyer_side",
            f"--socket={path}",
            f"--limb={settings.limb}",
            f"--speed-ratio={settings.robot_speed_ratio}",
            f"--watchdog={settings.watchdog_s}",
            f"--robot-timeout={settings.robot_timeout_s}",
            f"--braking={settings.braking_rad_s2}",
        ]  # fmt: skip
        try:
            with self._log.open("wb") as log:
                return subprocess.Popen(  # noqa: S603 - what the rig names
                    command,
                    env=side_environment(settings, os.environ),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    # Ctrl-C is the node's: it lets the robot come to a stop first.
                    start_new_session=True,
                )
        except OSError as error:
            raise MissingDependencyError(
                f"expected the Python of ROS 1 at '{settings.python}', but {error}: set "
                f"sawyer.python"
            ) from error

    def _accept(self, listener: socket.socket, timeout_s: float) -> socket.socket:
        deadline = time.monotonic() + timeout_s
        listener.settimeout(0.05)
        while time.monotonic() < deadline:
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                if self.process.poll() is None:
                    continue
                raise MissingDependencyError(
                    f"the side process of Sawyer did not start: {self.last_words()}"
                ) from None
            connection.setblocking(False)
            return connection
        self.kill()
        raise DeviceError(
            f"the side process of Sawyer did not connect within {timeout_s:g} s: "
            f"{self.last_words()}"
        )

    def last_words(self) -> str:
        """Return the end of what it printed."""
        try:
            text = self._log.read_bytes()[-LAST_WORDS:].decode(errors="replace").strip()
        except OSError:
            text = ""
        return text or "it printed nothing"

    def ending(self) -> str:
        """Return how it ended, or that it runs."""
        try:
            # Its connection ends a moment before the process does.
            status = self.process.wait(0.3)
        except subprocess.TimeoutExpired:
            return "it runs, but does not answer"
        how = f"ended by signal {-status}" if status < 0 else f"ended with status {status}"
        return f"it {how}: {self.last_words()}"

    def close(self, *, patience_s: float = 1.5) -> None:
        """Say goodbye, let the robot come to a stop, and make an end after a while."""
        with contextlib.suppress(wire.WireError):
            wire.send(self.connection, wire.pack("bye"))
        try:
            self.process.wait(patience_s)
        except subprocess.TimeoutExpired:
            self.kill()
        self.connection.close()
        self._folder.cleanup()

    def kill(self) -> None:
        """End it now; the robot holds after its own timeout."""
        self.process.kill()
        self.process.wait()
