"""Starts the emulated Gen3 as a process, gives it orders, and kills it."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


class KortexProcess:
    def __init__(self, *, controller="trajectory", rate_hz=200.0):
        command = [sys.executable, "-m", "tests.emulators.kortex.node"]
        self.process = subprocess.Popen(
            [*command, "--controller", controller, "--rate", str(rate_hz)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            start_new_session=True,
        )
        assert self.process.stdout.readline() == b"ready\n"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def order(self, do, **more):
        self.process.stdin.write(json.dumps({"do": do, **more}).encode() + b"\n")
        self.process.stdin.flush()

    def tell(self):
        self.order("tell")
        return json.loads(self.process.stdout.readline())

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def kill(self):
        """SIGKILL, as a crash of the computer that runs ros2_kortex."""
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            stream.close()
