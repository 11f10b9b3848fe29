"""`tiltbot collect`, as a newcomer types it, on the simulated rig."""

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import yaml
from rich.console import Console

from tiltbot_ros.commands.panel import PanelState, Rate, duration, render
from tiltbot_ros.episodes.catalogue import list_episodes
from tiltbot_ros.episodes.reader import Episode

COMMAND = [sys.executable, "-c", "from tiltbot_ros.cli import main; raise SystemExit(main())"]


def run(*words, **options):
    return subprocess.run(
        [*COMMAND, "collect", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
        **options,
    )


@pytest.fixture
def light_rig(tmp_path) -> Path:
    """The simulated rig with a small picture, for machines that do other things, too."""
    path = tmp_path / "light.yaml"
    path.write_text(yaml.safe_dump({"camera": {"width": 320, "height": 240}}))
    return path


@pytest.mark.graph
@pytest.mark.timeout(170)
def test_collect_ends_with_clean_episodes_of_every_object(ros_environment, tmp_path, light_rig):
    data = tmp_path / "data"
    done = run("--rig", light_rig, "--object", "025_mug", "--object", "005_tomato_soup_can",
               "--episodes", 1, "--out", data, "--plain")  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    episodes = [Episode.open(entry.path) for entry in list_episodes(data)]
    clean = {episode.facts.object for episode in episodes if episode.check().clean}
    assert clean == {"025_mug", "005_tomato_soup_can"}
    for episode in episodes:
        assert episode.facts.tilt is not None
        assert episode.audio().samples.shape[1] == 4
        locations = episode.locations()
        assert locations.valid.mean() > 0.8
    assert str(data) in done.stdout
    assert "episodes show" in done.stdout


@pytest.mark.graph
def test_ctrl_c_ends_cleanly_and_keeps_what_is_finished(ros_environment, tmp_path, light_rig):
    data = tmp_path / "data"
    process = subprocess.Popen(
        [*COMMAND, "collect", "--rig", light_rig, "--object", "025_mug", "--minutes", "30",
         "--out", data, "--plain"],
        stdout=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 90.0
        while not list(data.glob("ep_*/episode.json")):
            assert time.monotonic() < deadline
            time.sleep(0.2)
        children = psutil.Process(process.pid).children(recursive=True)
        os.kill(process.pid, signal.SIGINT)
        output, _ = process.communicate(timeout=30.0)
    finally:
        process.kill()
    assert process.returncode == 130, output
    # An orphan that ended stays a zombie where the machine's first process reaps none.
    gone = (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
    assert not [c for c in children if c.is_running() and c.status() not in gone]
    assert not list(data.glob("*.partial"))
    for entry in list_episodes(data):
        Episode.open(entry.path).check()


@pytest.mark.graph
def test_a_killed_arm_ends_the_collection_and_says_so(ros_environment, tmp_path, light_rig):
    data = tmp_path / "data"
    process = subprocess.Popen(
        [*COMMAND, "collect", "--rig", light_rig, "--object", "025_mug", "--minutes", "30",
         "--out", data, "--plain"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )  # fmt: skip
    try:
        for line in process.stdout:
            if "background" in line:
                break
        children = psutil.Process(process.pid).children(recursive=True)
        world = next(c for c in children if any("world_node" in w for w in c.cmdline()))
        world.kill()
        output, _ = process.communicate(timeout=30.0)
    finally:
        process.kill()
    assert process.returncode == 1, output
    assert "node 'world' ended with status -9" in output
    _, alive = psutil.wait_procs(children, timeout=5.0)
    assert all(child.status() == psutil.STATUS_ZOMBIE for child in alive)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--rig", "simm"], "did you mean 'sim'"),
        (["--object", "025_mugg"], "025_mug"),
        (["--episodes", "0"], "above 0"),
        (["--minutes", "-2"], "above 0"),
    ],
)
def test_a_wrong_option_is_refused_before_anything_starts(tmp_path, words, expected):
    done = run(*words, "--out", tmp_path / "data")
    assert done.returncode != 0
    assert expected in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "data").exists()


def test_the_panel_shows_rates_drops_and_time_left():
    state = PanelState(
        title="tiltbot collect",
        object="025_mug",
        phase="tilting",
        wanted=10,
        clean=4,
        clean_total=4,
        flagged_total=1,
        time_left_s=3725.0,
        disk_free_bytes=12_300_000_000,
        rates=(Rate(topic="/audio", rate_hz=99.9, expected_hz=100.0, lost=3),),
        drops={"suppressed": 2},
        events=["ep_000004 clean"],
    )
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(render(state))
    text = console.export_text()
    for words in ("025_mug", "4 clean, 1 flagged", "1 h 02 min", "12.3 GB", "99.9",
                  "suppressed 2", "ep_000004 clean"):  # fmt: skip
        assert words in text
    bar = next(line for line in text.splitlines() if "━" in line)
    assert "clean" not in bar


def test_the_panel_says_nothing_of_what_it_has_not_heard_yet():
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(render(PanelState(title="tiltbot collect")))
    assert " GB" not in console.export_text()


@pytest.mark.parametrize(
    ("seconds", "text"), [(float("nan"), "-"), (59.6, "1 min 00 s"), (12.0, "12 s")]
)
def test_durations_read_well(seconds, text):
    assert duration(seconds) == text
