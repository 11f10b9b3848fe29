"""The command itself: help, wrong use, Ctrl-C, closed pipes."""

import os
import signal
import subprocess
import time
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
import whole_episodes as rig

from tiltbot_ros import cli


def test_help_names_every_verb_with_a_line(tiltbot):
    status, out, _ = tiltbot("--help")
    assert status == 0
    for verb in ("collect", "episodes", "generate", "segment", "doctor"):
        line = next(line for line in out.splitlines() if line.startswith(verb))
        assert len(line.split()) > 3
    assert "cannot be loaded" not in out
    assert tiltbot()[1] == out


def test_help_survives_a_verb_that_cannot_be_loaded(tiltbot, monkeypatch):
    broken = EntryPoint(name="fly", value="tiltbot_ros.no_such_module:fly", group=cli.GROUP)
    monkeypatch.setattr(cli, "entry_points", lambda group: [broken])
    status, out, _ = tiltbot("--help")
    assert status == 0
    assert "fly" in out
    assert "no_such_module" in out
    status, _, err = tiltbot("fly")
    assert status == 1
    assert "no_such_module" in err


@pytest.mark.parametrize(
    ("verb", "words"),
    [
        (("episodes",), ("ls", "check", "show", "keep", "discard", "restore", "relabel")),
        (("episodes", "ls"), ("DIR", "--object", "--flagged", "--clean", "--trash", "--json")),
        (("episodes", "check"), ("DIR|EPISODE", "--json")),
        (("episodes", "show"), ("DIR|EPISODE", "--out")),
        (("episodes", "relabel"), ("EPISODE...", "--object", "--outcome", "--label")),
        (("generate",), ("--out", "--rig", "--object", "--set", "--workers", "--seed")),
        (("segment",), ("FILE", "--out", "--object", "--rig", "--policy", "--json")),
        (("doctor",), ("--rig", "--out", "--json")),
    ],
)
def test_help_of_a_verb_names_its_options(tiltbot, verb, words):
    status, out, err = tiltbot(*verb, "--help")
    assert (status, err) == (0, "")
    assert [word for word in words if word not in out] == []
    assert "None" not in out


def test_unknown_verb_is_refused_with_the_known_ones(tiltbot):
    status, out, err = tiltbot("episode")
    assert (status, out) == (2, "")
    assert "got 'episode'" in err
    assert "episodes" in err


def test_unknown_option_is_refused(tiltbot):
    status, _, err = tiltbot("doctor", "--fast")
    assert status == 2
    assert "--fast" in err


def test_brackets_in_an_error_are_printed_as_they_are(tiltbot):
    _, _, err = tiltbot("episodes", "ls", "/no[/bold]where[red]")
    assert "/no[/bold]where[red]" in err


def test_a_closed_pipe_ends_a_verb_quietly(start, tmp_path):
    rig.many(tmp_path / "data", 2000)
    process = start(
        "episodes", "ls", tmp_path / "data", stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout.readline().startswith("ID")
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait(60) == cli.PIPE_CLOSED


def test_ctrl_c_ends_a_verb_quietly_and_its_children(start):
    process = start("doctor", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout.readline() == "Python\n"
    deadline = time.monotonic() + 30
    while not (children := _children(process.pid)) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == cli.INTERRUPTED
    assert "Traceback" not in process.stderr.read()
    assert children
    assert not [pid for pid in children if _runs(pid)]


def _children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in text.split()]


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
