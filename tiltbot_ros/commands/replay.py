"""Play recordings back onto the topics, to the nodes that listen."""

import re
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Literal

from rich.console import Console

from tiltbot_ros.bringup import replay_graph
from tiltbot_ros.errors import DeviceError
from tiltbot_ros.replaying import ReplaySettings, find_recordings
from tiltbot_ros.rigs import load_rig
from tiltbot_ros.settings import checked
from tiltbot_ros.supervisor import Supervisor

POLL_S = 0.1
SHOWN = ("replay", "recorder")

_ROS_LOG = re.compile(r"^\[(\w+)\] \[[\d.]+\] \[[^\]]+\]: (.*)$")
_STYLES = {"WARN": "yellow", "ERROR": "red", "FATAL": "red"}


def replay(
    path: Path,
    /,
    *,
    rate: float = 1.0,
    stamps: Literal["shifted", "kept"] = "shifted",
    loop: bool = False,
    listen: bool = True,
    out: Path | None = None,
    rig: str = "sim",
    namespace: str = "",
) -> int:
    """Play episodes or bags back onto the topics, so that nodes run on recorded data.

    The contact and the tracker node listen and make their results anew; with
    --out a recorder cuts new episodes of it. Ctrl-C ends it.

    Args:
        path: a data folder, one episode, a rosbag2 directory or an MCAP file.
        rate: speed; 2 plays twice as fast.
        stamps: 'shifted' moves every time in the messages to now; 'kept' leaves
            them, and /clock tells the recording's time.
        loop: begin again at the end.
        listen: whether contact and tracker node run; without them everything
            recorded is played.
        out: data folder of a recorder; none is started without it.
        rig: whose detector, tracker and recorder settings to use.
        namespace: of all nodes and topics.

    Returns:
        0 when all was played, 130 after Ctrl-C, 1 otherwise.
    """
    find_recordings(path)
    settings = checked(
        ReplaySettings,
        {"path": str(path.resolve()), "rate": rate, "stamps": stamps, "loop": loop},
    )
    specs = replay_graph(load_rig(rig), replay=settings, listen=listen, out=out)
    with ExitStack() as stack:
        if out is None:
            scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="tiltbot-replay-"))
            logs = Path(scratch)
        else:
            logs = out / "logs" / time.strftime("%Y%m%d-%H%M%S")
        supervisor = Supervisor(specs, log_directory=logs, namespace=namespace)
        echo = _Echo(Console(), supervisor.log_files())
        stack.callback(echo.show)
        stack.callback(supervisor.stop)
        supervisor.start()
        return _watch(supervisor, echo)


def _watch(supervisor: Supervisor, echo: "_Echo") -> int:
    while True:
        for ending in supervisor.poll():
            if ending.name == "replay":
                return 0 if ending.status == 0 else 1
            if ending.required:
                raise DeviceError(str(ending))
        echo.show()
        time.sleep(POLL_S)


class _Echo:
    """Prints what some nodes log, as it comes."""

    def __init__(self, console: Console, logs: dict[str, Path]) -> None:
        self._console = console
        self._read = {path: 0 for name, path in logs.items() if name in SHOWN}

    def show(self) -> None:
        """Print the lines that have come since the last call."""
        for path, position in self._read.items():
            if not path.is_file():
                continue
            with path.open("rb") as log:
                log.seek(position)
                whole, _, _ = log.read().rpartition(b"\n")
            if whole:
                self._read[path] = position + len(whole) + 1
            for line in whole.decode(errors="replace").splitlines():
                self._print(line)

    def _print(self, line: str) -> None:
        found = _ROS_LOG.match(line)
        level, text = found.groups() if found else ("", line)
        self._console.print(text, style=_STYLES.get(level), highlight=False, markup=False)
