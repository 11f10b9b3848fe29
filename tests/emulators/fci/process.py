"""Starts the controller as a process, and talks to the person at it."""

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

import numpy as np

_COUNT = itertools.count(1)
REPOSITORY = Path(__file__).parents[3]


def an_address() -> str:
    """Return an address of the loopback that nobody else has: the FCI's ports are fixed."""
    process = os.getpid()
    return f"127.{100 + process // 62500 % 100}.{process // 250 % 250}.{next(_COUNT) % 250 + 1}"


class Emulator:
    """One controller in a process of its own."""

    def __init__(self, *, wait_s: float = 0.05, address: str = "") -> None:
        """Start it and wait until it listens."""
        self.address = address or an_address()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.emulators.fci", self.address, f"--wait-s={wait_s}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=REPOSITORY,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            text=True,
        )
        assert self.process.stdout.readline() == "ready\n"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def ask(self, do: str, **fields: object) -> dict:
        """Have something done, and return the answer."""
        self.process.stdin.write(json.dumps({"do": do, **fields}) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def status(self) -> dict:
        """Return what the arm and the hand do."""
        return self.ask("status")

    def tool(self) -> np.ndarray:
        """Return where the tool is (4, 4)."""
        return np.array(self.status()["tool"]).reshape(4, 4)

    def path(self, since_s: float = 0.0) -> np.ndarray:
        """Return the way since a moment of the robot's clock.

        Columns (n, 6): monotonic time [s], robot's clock [s], x, y, z of the tool [m], speed of
        the fastest joint [rad/s].
        """
        return np.array(self.ask("path", since_s=since_s)["path"]).reshape(-1, 6)

    def clock_s(self) -> float:
        """Return the robot's clock, which stands still while it waits for the driver [s]."""
        return self.status()["clock_s"]

    def until(self, condition: Callable[[dict], bool], timeout_s: float = 5.0) -> dict:
        """Wait until its status fulfils a condition; return it."""
        end = time.monotonic() + timeout_s
        while not condition(status := self.status()):
            assert time.monotonic() < end, status
            time.sleep(0.01)
        return status

    def kill(self) -> None:
        """End it without a word."""
        self.process.kill()
        self.process.wait()

    def hang(self) -> None:
        """Let it hang: connected, but silent."""
        self.process.send_signal(signal.SIGSTOP)

    def wake(self) -> None:
        """Let it go on after it hung."""
        self.process.send_signal(signal.SIGCONT)

    def end(self) -> None:
        """End it."""
        if self.process.poll() is None:
            self.wake()
            self.process.stdin.close()
            try:
                self.process.wait(3.0)
            except subprocess.TimeoutExpired:
                self.kill()
        self.process.stdout.close()
        if not self.process.stdin.closed:
            self.process.stdin.close()
