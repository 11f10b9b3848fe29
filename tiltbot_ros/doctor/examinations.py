"""The table of examinations, each run in a process of its own with a time limit.

Sound, rendering and DDS go through native libraries that may hang or crash;
in a child process that is an answer like any other.
"""

import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from tiltbot_ros.doctor.findings import FINDINGS, NEEDS, Finding, Needs, fail
from tiltbot_ros.supervisor import graph_environment

_LAST_WORDS = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Examination:
    """One examination.

    Attributes:
        name: for people.
        module: in this package; its `examine(needs)` returns findings.
        limit_s: it is ended after that [s].
    """

    name: str
    module: str
    limit_s: float


EXAMINATIONS = (
    Examination(name="Python", module="libraries", limit_s=40.0),
    Examination(name="ROS 2", module="ros", limit_s=30.0),
    Examination(name="DDS", module="dds", limit_s=45.0),
    Examination(name="arm", module="arm", limit_s=40.0),
    Examination(name="teleoperation", module="teleoperation", limit_s=20.0),
    Examination(name="sound", module="sound", limit_s=20.0),
    Examination(name="camera", module="camera", limit_s=40.0),
    Examination(name="rendering", module="rendering", limit_s=40.0),
    Examination(name="disk", module="disk", limit_s=20.0),
    Examination(name="clock", module="clock", limit_s=15.0),
    Examination(name="computer", module="computer", limit_s=10.0),
)


def run_examination(examination: Examination, needs: Needs) -> list[Finding]:
    """Return what an examination finds; its crash and its time limit are findings, too."""
    with tempfile.TemporaryDirectory(prefix="tiltbot-doctor-") as scratch:
        answer = Path(scratch) / "findings.json"
        command = [sys.executable, "-m", "tiltbot_ros.doctor", examination.module, str(answer)]
        child = subprocess.Popen(  # noqa: S603 - our own module
            [*command, NEEDS.dump_json(needs).decode()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=graph_environment(),
            start_new_session=True,
        )
        try:
            _, errors = child.communicate(timeout=examination.limit_s)
        except subprocess.TimeoutExpired:
            return [_hung(examination)]
        finally:
            _end_group(child)
        try:
            return FINDINGS.validate_json(answer.read_bytes())
        except (OSError, ValidationError):
            return [_crashed(examination, child.returncode, errors)]


def _end_group(child: "subprocess.Popen[bytes]") -> None:
    """End what the child has started, too."""
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    finally:
        child.wait()
        if child.stderr is not None:
            child.stderr.close()


def _hung(examination: Examination) -> Finding:
    return fail(
        examination.name,
        f"the examination hung and was ended after {examination.limit_s:g} s",
        "look for a driver or a network disk that does not answer",
    )


def _crashed(examination: Examination, status: int, errors: bytes) -> Finding:
    words = errors.decode(errors="replace").strip().splitlines()[-_LAST_WORDS:]
    how = signal.Signals(-status).name if status < 0 else f"exit status {status}"
    return fail(
        examination.name,
        f"the examination ended with {how}: {' | '.join(words) or 'no words'}",
        "reinstall with `./run setup`; if it stays, report it with these words",
    )
