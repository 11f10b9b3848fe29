import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import quick

from tiltbot_ros.episodes.catalogue import list_episodes
from tiltbot_ros.episodes.reader import Episode
from tiltbot_ros.errors import ConfigError, MissingDependencyError, RecordingError
from tiltbot_ros.generating.batch import make_batch
from tiltbot_ros.generating.progress import FOLDER, GeneratedFolder

START_S = 60.0


def start(out):
    command = [sys.executable, str(Path(quick.__file__)), str(out)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen(command, env=environment)


def wait_until(true, what):
    deadline = time.monotonic() + START_S
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def under_way(out):
    return list((out / FOLDER).glob("batch_*/ep_*"))


def test_every_episode_is_clean_now_and_judged_anew(generated):
    episodes = [Episode.open(entry.path) for entry in list_episodes(generated)]
    assert [e.facts.id for e in episodes] == [f"ep_{n:06d}" for n in range(1, 5)]
    assert [e.facts.object for e in episodes] == [quick.OBJECTS[0]] * 2 + [quick.OBJECTS[1]] * 2
    for episode in episodes:
        assert episode.facts.verdict.clean, episode.facts.verdict.problems
        assert episode.check().clean
        tilt = episode.tilt()
        assert tilt is not None
        assert tilt.start_ns < episode.contact().stamp_ns


def test_two_workers_make_the_same_bytes_as_one(generated, tmp_path):
    quick.fill(tmp_path / "data", workers=2)
    expected, got = quick.content(generated), quick.content(tmp_path / "data")
    assert sorted(got) == sorted(expected)
    assert len(got) == 12
    assert [name for name in got if got[name] != expected[name]] == []


def test_killed_and_interrupted_it_goes_on_to_the_same_bytes(generated, tmp_path):
    out = tmp_path / "data"
    process = start(out)
    wait_until(lambda: under_way(out), "no episode was begun")
    children = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    _, alive = psutil.wait_procs(children, timeout=10.0)
    assert not alive, "workers outlived their owner"

    process = start(out)
    first = out / FOLDER / "batch_00000.json"
    second = out / FOLDER / "batch_00001"
    wait_until(lambda: first.is_file() and second.is_dir(), "no second batch was begun")
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=20.0) == 130
    finished = first.stat().st_mtime_ns

    quick.fill(out)
    assert first.stat().st_mtime_ns == finished
    assert quick.content(out) == quick.content(generated)
    assert [path.name for path in (out / FOLDER).iterdir() if path.is_dir()] == []


def test_a_finished_folder_is_left_as_it_is_and_a_discarded_episode_stays_so(generated, tmp_path):
    out = shutil.copytree(generated, tmp_path / "data")
    (out / "ep_000002").rename(tmp_path / "ep_000002")
    before = (out / "ep_000001" / "episode.json").stat().st_mtime_ns
    reports = quick.fill(out)
    assert [report.clean for report in reports] == [2, 2]
    assert not (out / "ep_000002").exists()
    assert (out / "ep_000001" / "episode.json").stat().st_mtime_ns == before


def test_a_batch_that_was_whole_when_it_was_killed_is_only_moved_on(generated, tmp_path):
    out = shutil.copytree(generated, tmp_path / "data")
    place = out / FOLDER / "batch_00001"
    place.mkdir()
    (out / FOLDER / "batch_00001.json").rename(place / "report.json")
    (out / "ep_000004").rename(place / "ep_000004")
    folder = GeneratedFolder(out, quick.plan())
    assert folder.left() == ()
    assert folder.made() == 4
    folder.close()
    assert quick.content(out) == quick.content(generated)
    assert not place.exists()


def test_another_plan_and_a_folder_of_other_episodes_are_refused(generated, tmp_path):
    with pytest.raises(ConfigError, match="seed 5, now 6"):
        GeneratedFolder(generated, quick.plan(seed=6))
    (tmp_path / "ep_000001").mkdir()
    with pytest.raises(ConfigError, match="another origin"):
        GeneratedFolder(tmp_path, quick.plan())


@pytest.mark.parametrize(
    ("group", "values", "words"),
    [
        ("detector", {"min_level": 1.0}, "2 tilts in a row gave no episode"),
        ("follow", {"follow_tolerance_rad": 1e-6, "follow_time_s": 0.01}, "does not follow"),
    ],
)
def test_a_batch_that_goes_wrong_ends_with_its_reason(tmp_path, group, values, words):
    rig = quick.rig()
    changed = getattr(rig, group).model_copy(update=values)
    patient = rig.collect.model_copy(update={"max_silent_tilts": 2})
    rig = rig.model_copy(update={group: changed, "collect": patient})
    report = make_batch(quick.plan().batches()[0], rig, tmp_path / "made")
    assert report.episodes == ()
    assert words in report.reason


def test_ray_makes_the_same_bytes_as_processes(generated, tmp_path):
    pytest.importorskip("ray")
    quick.fill(tmp_path / "data", workers=2, engine="ray")
    assert quick.content(tmp_path / "data") == quick.content(generated)


def test_a_missing_ray_is_named_with_what_installs_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingDependencyError, match=r"tiltbot\[ray\]"):
        quick.fill(tmp_path / "data", engine="ray")


def test_a_cluster_that_is_not_there_is_an_error(tmp_path, monkeypatch):
    pytest.importorskip("ray")
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    with pytest.raises(RecordingError, match="RAY_ADDRESS=127"):
        quick.fill(tmp_path / "data", engine="ray")
