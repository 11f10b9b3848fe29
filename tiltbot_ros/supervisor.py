"""Runs the processes of a graph: starts, watches, restarts and ends them."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from tiltbot_ros.bringup import DISCOVERY_VARIABLES, LOCALHOST_ONLY, NodeSpec
from tiltbot_ros.errors import DeviceError
from tiltbot_ros.lifeline import SUPERVISED
from tiltbot_ros.share import executable_directory

SIGINT_GRACE_S = 8.0
SIGTERM_GRACE_S = 2.0
RESPAWN_FIRST_S = 1.0
RESPAWN_LONGEST_S = 30.0


@dataclass(kw_only=True)
class _Process:
    """One running node."""

    spec: NodeSpec
    command: list[str]
    log: Path
    handle: subprocess.Popen[bytes] | None = None
    starts: int = 0
    restart_at_s: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Ending:
    """A node that has ended by itself.

    Attributes:
        name: of the node.
        status: exit status; negative: the signal that killed it.
        log: file with what it printed.
        required: the graph cannot go on without it.
    """

    name: str
    status: int
    log: Path
    required: bool

    def __str__(self) -> str:
        """Return what became of it, with the last lines of its log."""
        return f"node '{self.name}' ended with status {self.status}:\n{last_words(self.log)}"


class Supervisor:
    """The processes of one graph, each with a log file, ended together.

    They also end when this process is killed: each holds the reading end of a
    pipe whose writing end only this process has.

    Args:
        specs: which nodes.
        log_directory: one file a node is written there.
        namespace: of all nodes, for example "/rig_a".
        environment: variables on top of this process's own.
        extra_arguments: ROS arguments for every node, such as ["--log-level", "debug"].
    """

    def __init__(
        self,
        specs: Sequence[NodeSpec],
        *,
        log_directory: Path,
        namespace: str = "",
        environment: Mapping[str, str] | None = None,
        extra_arguments: Sequence[str] = (),
    ) -> None:
        self._directory = log_directory
        self._directory.mkdir(parents=True, exist_ok=True)
        self._environment = graph_environment() | dict(environment or {})
        self._environment[SUPERVISED] = "1"
        reading, writing = os.pipe()
        self._lifeline, self._held = os.fdopen(reading, "rb"), os.fdopen(writing, "wb")
        self._scratch = tempfile.TemporaryDirectory(prefix="tiltbot-")
        self._processes = [
            _Process(
                spec=spec,
                command=self._command(spec, namespace, extra_arguments),
                log=self._directory / f"{spec.name}.log",
            )
            for spec in specs
        ]

    def _command(self, spec: NodeSpec, namespace: str, extra: Sequence[str]) -> list[str]:
        parameters = Path(self._scratch.name) / f"{spec.name}.yaml"
        parameters.write_text(yaml.safe_dump({"/**": {"ros__parameters": dict(spec.parameters)}}))
        executable = executable_directory() / spec.executable
        if not executable.is_file():
            raise DeviceError(
                f"expected the executable {executable}, but it is not installed: run "
                f"`./run setup`, or `colcon build` and source the workspace"
            )
        return [
            sys.executable,
            str(executable),
            "--ros-args",
            "-r",
            f"__node:={spec.name}",
            *(["-r", f"__ns:={namespace}"] if namespace else []),
            "--params-file",
            str(parameters),
            *extra,
        ]

    def start(self) -> None:
        """Start every node."""
        for process in self._processes:
            self._start(process)

    def _start(self, process: _Process) -> None:
        with process.log.open("ab") as log:
            # A process group of its own: Ctrl-C in the terminal must not reach
            # the nodes before the command has ended the collection. Not a
            # session of its own: Linux weighs sessions, not the niceness in them.
            process.handle = subprocess.Popen(  # noqa: S603 - our own executables
                process.command,
                stdin=self._lifeline,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environment,
                process_group=0,
            )
        process.starts += 1

    def poll(self) -> list[Ending]:
        """Notice nodes that ended, restart those that respawn; return what ended."""
        endings = []
        now = time.monotonic()
        for process in self._processes:
            if process.handle is None:
                if process.spec.respawn and process.restart_at_s <= now:
                    self._start(process)
                continue
            status = process.handle.poll()
            if status is None:
                continue
            process.handle = None
            wait = min(RESPAWN_FIRST_S * 2 ** (process.starts - 1), RESPAWN_LONGEST_S)
            process.restart_at_s = now + wait
            endings.append(
                Ending(
                    name=process.spec.name,
                    status=status,
                    log=process.log,
                    required=process.spec.required,
                )
            )
        return endings

    def pids(self) -> dict[str, int]:
        """Return the process id of every running node, by name."""
        return {p.spec.name: p.handle.pid for p in self._processes if p.handle is not None}

    def log_files(self) -> dict[str, Path]:
        """Return the log of every node, by name."""
        return {process.spec.name: process.log for process in self._processes}

    def stop(self) -> None:
        """End every node: SIGINT, then SIGTERM, then SIGKILL to those that stay."""
        for number, grace in (
            (signal.SIGINT, SIGINT_GRACE_S),
            (signal.SIGTERM, SIGTERM_GRACE_S),
            (signal.SIGKILL, SIGTERM_GRACE_S),
        ):
            running = [p.handle for p in self._processes if p.handle and p.handle.poll() is None]
            if not running:
                break
            for handle in running:
                handle.send_signal(number)
            deadline = time.monotonic() + grace
            for handle in running:
                try:
                    handle.wait(max(0.0, deadline - time.monotonic()))
                except subprocess.TimeoutExpired:
                    continue
        self._lifeline.close()
        self._held.close()
        self._scratch.cleanup()


def graph_environment() -> dict[str, str]:
    """Return this process's environment as a node needs it.

    Discovery stays on this host unless the user has said otherwise.
    """
    environment = dict(os.environ)
    if not any(name in environment for name in DISCOVERY_VARIABLES):
        environment |= LOCALHOST_ONLY
    # Inherited thread pools on a small machine cost more than they give.
    environment.setdefault("OMP_NUM_THREADS", "1")
    environment["PYTHONUNBUFFERED"] = "1"
    return environment


def last_words(log: Path, lines: int = 5) -> str:
    """Return the last lines of a node's log."""
    try:
        text = log.read_text(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.strip().splitlines()[-lines:])
