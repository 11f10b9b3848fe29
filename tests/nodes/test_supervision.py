"""Nodes do not outlive the process that started them."""

import os
import signal
import subprocess
import sys
import time

import pytest

from tests.processes import running

pytestmark = pytest.mark.graph

SUPERVISOR = """
import sys, time
from pathlib import Path
from tests.nodes import knocking
from tiltbot_ros.supervisor import Supervisor

graph = Supervisor([knocking.tray(), knocking.contacts()], log_directory=Path(sys.argv[1]))
graph.start()
print(*graph.pids().values(), flush=True)
time.sleep(600)
"""


def until(condition, limit_s):
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGHUP])
def test_nodes_end_when_their_supervisor_is_killed(ros_environment, tmp_path, number):
    process = subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR, tmp_path],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | ros_environment,
    )
    pids = [int(pid) for pid in process.stdout.readline().split()]
    try:
        logs = [tmp_path / "tray.log", tmp_path / "contacts.log"]
        until(lambda: all(log.exists() for log in logs), 20.0)
        assert all(running(pid) for pid in pids)
        process.send_signal(number)
        assert process.wait(10.0) == -number
        until(lambda: not any(running(pid) for pid in pids), 30.0)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        for pid in filter(running, pids):
            os.kill(pid, signal.SIGKILL)
