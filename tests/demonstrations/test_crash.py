"""A recorder that is killed loses the demonstration under way and no finished one."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from rosbags.rosbag2 import Reader

from tiltbot_ros.demonstrations.catalogue import demonstrations
from tiltbot_ros.demonstrations.facts import DEMONSTRATIONS
from tiltbot_ros.demonstrations.steps import read_demonstration
from tiltbot_ros.episodes.folder import DataFolder
from tiltbot_ros.episodes.writer import file_crc32

ROOT = Path(__file__).parents[2]
KILLS = 2


def test_every_finished_demonstration_survives_kills_at_any_moment(tmp_path):
    out = tmp_path / "demos"
    chance = random.Random(5)  # noqa: S311 - moments to kill at
    told = set()
    for _ in range(KILLS):
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.demonstrations.killed_recorder", str(out)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            text=True,
        )
        told.add(process.stdout.readline().strip())
        time.sleep(chance.uniform(0.0, 0.2))
        process.send_signal(signal.SIGKILL)
        told.update(process.stdout.read().split())
        process.wait()
    folder = DataFolder(out, kind=DEMONSTRATIONS)  # sweeps; the lock died with its holder
    folder.close()
    assert not list(out.glob("*.partial"))
    found = {entry.path.name: entry for entry in demonstrations(out)}
    assert told <= set(found)
    assert len(told) >= KILLS
    for entry in found.values():
        assert entry.facts is not None, entry.problem
        assert entry.facts.bag_crc32 == file_crc32(entry.path / f"{entry.path.name}.mcap")
    last = max(found)
    with Reader(out / last) as reader:
        assert reader.message_count == found[last].facts.messages
    assert len(read_demonstration(out / last).steps) == found[last].facts.steps
