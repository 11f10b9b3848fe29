import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from streams import listdir

from tiltbot_ros.episodes.catalogue import discard, list_episodes
from tiltbot_ros.episodes.folder import DataFolder
from tiltbot_ros.episodes.reader import Episode

HERE = Path(__file__).parent
KILLS = 32


class Zygote:
    """Forks recorders without importing everything again."""

    def __init__(self):
        path = os.pathsep.join([str(HERE), str(HERE.parents[1]), os.environ.get("PYTHONPATH", "")])
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "killed_recorder.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        )
        while self.line() != "ready":
            pass

    def line(self):
        return self.process.stdout.readline().strip()

    def record_and_kill(self, out, episodes, after_s):
        """Kill a recorder `after_s` after it said that so many episodes are finished.

        Returns:
            The ids that it said were finished.
        """
        self.process.stdin.write(f"{out}\n")
        self.process.stdin.flush()
        announced = self.line()
        assert announced.startswith("child"), announced
        said = [self.line() for _ in range(episodes)]
        time.sleep(after_s)
        os.kill(int(announced.split()[1]), signal.SIGKILL)
        while (line := self.line()) != "ended":
            said.append(line)
        return said

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)


def test_no_kill_loses_a_finished_episode(tmp_path):
    rng = np.random.default_rng(5)
    out = tmp_path / "data"
    zygote = Zygote()
    seen: set[str] = set()
    given_out = 0
    partials = 0
    for _ in range(KILLS):
        said = zygote.record_and_kill(out, int(rng.integers(0, 3)), rng.uniform(0, 0.08))
        assert not [line for line in said if line.startswith("failed")]
        partials += len(list(out.glob("*.partial")))
        folder = DataFolder(out)  # sweeps; also shows that the lock died with its holder
        folder.close()
        assert not list(out.glob("*.partial"))
        names = {name for name in listdir(out) if name.startswith("ep_")}
        assert set(said) <= names, "an episode that was said to be finished is gone"
        assert seen <= names, "an older episode is gone"
        fresh = names - seen
        for name in fresh:
            episode = Episode.open(out / name)
            assert episode.facts.verdict.problems == ()
            assert episode.check() == episode.facts.verdict
            number = int(name.removeprefix("ep_"))
            assert number > given_out, "a number was given out twice"
        noted = int((out / ".last_id").read_text()) if (out / ".last_id").exists() else 0
        given_out = max(given_out, noted)
        seen = names
        if seen and rng.random() < 0.3:
            victim = max(seen)
            discard(out, victim)
            seen.discard(victim)
    zygote.close()
    assert len(seen) > 15
    assert partials > 3, "no kill hit a writer at work: the test tests nothing"
    assert all(entry.facts is not None for entry in list_episodes(out))


def test_a_partial_that_only_lacks_its_rename_is_finished(recorded, tmp_path):
    out = tmp_path / "data"
    out.mkdir()
    inner = out / "ep_000007.partial" / "ep_000007"
    inner.parent.mkdir()
    subprocess.run(["cp", "-r", recorded / "ep_000001", inner], check=True)
    (inner / "ep_000001.mcap").rename(inner / "ep_000007.mcap")
    meta = inner / "metadata.yaml"
    meta.write_text(meta.read_text().replace("ep_000001", "ep_000007"))
    half = out / "ep_000009.partial" / "ep_000009"
    half.mkdir(parents=True)
    (half / "ep_000009.mcap").write_bytes(b"\x89MCAP0\r\n")
    folder = DataFolder(out)
    assert folder.recovered == ("ep_000007",)
    assert folder.swept == ("ep_000009",)
    assert listdir(out) == ["ep_000007"]
    assert folder.take_number() == "ep_000010"
    folder.close()
    assert Episode.open(out / "ep_000007").check().clean


@pytest.mark.parametrize("place", ["", "trash"])
def test_numbering_resumes_after_the_highest_ever(tmp_path, place):
    (tmp_path / place / "ep_000041").mkdir(parents=True)
    folder = DataFolder(tmp_path)
    assert folder.take_number() == "ep_000042"
    folder.close()
    again = DataFolder(tmp_path)
    assert again.take_number() == "ep_000043"
    again.close()
