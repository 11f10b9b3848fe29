"""The verb `generate`, on a rig whose episodes are short and whose pictures are small."""

import signal
import subprocess
import time

import pytest

from tiltbot_ros import cli
from tiltbot_ros.episodes.catalogue import list_episodes
from tiltbot_ros.episodes.reader import Episode

RIG = """
description: simulated, quick
arm: {driver: simulated}
camera: {width: 96, height: 72}
tracker: {learn_frames: 8, decimation: 1}
recorder: {before_s: 0.5, after_s: 0.5}
tilt: {ramp_s: 0.3, hold_s: 0.8, return_s: 0.4, rest_s: 0.2, min_length: 0.9}
collect: {settle_s: 0.6}
writer: {disk_floor_bytes: 0}
"""


@pytest.fixture
def options(tmp_path):
    """Return the options for a folder, and the folder."""
    rig = tmp_path / "quick.yaml"
    rig.write_text(RIG)
    out = tmp_path / "data"
    return ["generate", "--out", out, "--rig", rig, "--object", "025_mug", "--workers", 1], out


def test_it_fills_a_folder_once_and_says_so(tiltbot, options):
    given, out = options
    status, said, _ = tiltbot(*given, "--episodes", 1)
    assert status == 0
    assert f"1 episode in {out}, 1 of them clean; 1 made" in said
    listed = list_episodes(out)
    assert [entry.path.name for entry in listed] == ["ep_000001"]
    status, said, _ = tiltbot(*given, "--episodes", 1)
    assert status == 0
    assert "1 of them clean; 0 made" in said
    status, _, err = tiltbot(*given, "--episodes", 2)
    assert status == cli.FAILED
    assert "episodes 1, now 2" in err
    status, _, err = tiltbot(*given, "--episodes", 1, "--video")
    assert status == cli.FAILED
    assert "video False, now True" in err
    images = Episode.open(out / "ep_000001").images()
    assert images.frames.shape == (2, 72, 96, 3)


def test_ctrl_c_ends_it_and_says_how_to_go_on(start, options):
    given, out = options
    process = start(*given, "--episodes", 500, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while not list(out.glob(".generate/batch_*/ep_*")) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == cli.INTERRUPTED
    said = process.stderr.read()
    assert "the same command goes on" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--set", "A"), "--object or --set"),
        (("--episodes", 0), "above 0"),
        (("--seed", -1), "0 or more"),
    ],
)
def test_options_that_make_no_sense_are_refused(tiltbot, options, more, words):
    given, out = options
    status, _, err = tiltbot(*given, *more)
    assert status == cli.WRONG_USE
    assert words in err
    assert not out.exists()
