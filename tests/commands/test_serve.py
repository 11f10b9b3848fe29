"""The verb `serve`: what it refuses before it starts anything, and how it ends."""

import signal
import subprocess

import pytest

from tests.serving import served
from tiltbot_ros import cli


@pytest.fixture
def checkpoint(tmp_path):
    served.make_checkpoint(tmp_path / "model")
    return tmp_path / "model"


def test_without_a_model_or_with_something_else_it_says_what_it_needs(tiltbot, tmp_path):
    status, _, err = tiltbot("serve")
    assert status == cli.WRONG_USE
    assert "--inverse, --forward or --classify" in err
    status, _, err = tiltbot("serve", "--inverse", tmp_path)
    assert status == cli.FAILED
    assert "expected a checkpoint" in err


def test_a_model_that_does_not_fit_is_refused_at_once(tiltbot, checkpoint, tmp_path):
    status, _, err = tiltbot("serve", "--forward", checkpoint)
    assert status == cli.FAILED
    assert "expected the output 'location_after'" in err
    rig = tmp_path / "steep.yaml"
    rig.write_text("arm: {driver: simulated}\ntilt: {max_tilt_rad: 0.2}\n")
    status, _, err = tiltbot("serve", "--inverse", checkpoint, "--rig", rig)
    assert status == cli.FAILED
    assert "an action of 1 is 0.45 rad to it and 0.2 rad here" in err
    assert not (tmp_path / "logs").exists()


@pytest.mark.graph
def test_ctrl_c_ends_the_servers(ros_environment, start, checkpoint, tmp_path):
    process = start(
        "serve", "--inverse", checkpoint, "--no-live", "--logs", tmp_path / "logs",
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert "serving inverse_model" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0
    assert len(list((tmp_path / "logs").glob("*/inverse_model.log"))) == 1
