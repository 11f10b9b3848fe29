"""Workers end with the process that spawned them, also when that is killed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.processes import running

OWNER = """
import multiprocessing, time
from tests.worker_of_lifeline import work

if __name__ == "__main__":
    worker = multiprocessing.get_context("spawn").Process(target=work)
    worker.start()
    worker.join()
"""


def test_a_worker_ends_when_its_owner_is_killed(tmp_path):
    script = tmp_path / "owner.py"
    script.write_text(OWNER)
    owner = subprocess.Popen(
        [sys.executable, script],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[1])},
    )
    worker = int(owner.stdout.readline())
    assert running(worker)
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    owner.stdout.close()
    deadline = time.monotonic() + 20.0
    while running(worker):
        assert time.monotonic() < deadline
        time.sleep(0.02)
