"""`tiltbot demo` and `teleop` as a person uses them, at a terminal."""

import json
import os
import pty
import re
import select
import subprocess
import sys
import time

import pytest
import yaml

from tests.demonstrations.shown import Show
from tests.nodes.leading import RIG
from tiltbot_ros.cli import main
from tiltbot_ros.demonstrations.facts import DemonstrationFacts

COMMAND = "import sys; from tiltbot_ros.cli import main; sys.exit(main())"
KEY = re.compile(r"\x1b\[.~?|.|\r", re.DOTALL)


@pytest.fixture
def folder(tmp_path):
    """Two demonstrations, the second flagged."""
    show = Show(tmp_path / "demos")
    show.one(seconds=1.0)
    show.broken = lambda topic, tick: (
        topic == "arm/pose" and show.recorder.recording and tick % 50 < 15
    )
    show.one(seconds=1.0, fate="failure", task="wipe")
    show.folder.close()
    return tmp_path / "demos"


@pytest.fixture
def rig_file(tmp_path):
    path = tmp_path / "plain.yaml"
    path.write_text(yaml.safe_dump(RIG.model_dump(mode="json", exclude_unset=True)))
    return path


def test_the_listing_has_outcome_task_and_verdict(folder, capsys):
    assert main(["demo", "list", str(folder)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert re.search(r"demo_000001 .*1\.0 s .*success .*reach the mug .*clean", lines[1])
    assert re.search(r"demo_000002 .*failure .*wipe .*/arm/pose", lines[2])
    assert main(["demo", "list", str(folder), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["facts"]["outcome"] == "success"


def test_one_is_shown_labelled_discarded_and_brought_back(folder, capsys):
    one = folder / "demo_000001"
    assert main(["demo", "show", str(one)]) == 0
    shown = capsys.readouterr().out
    assert "11 steps of 'teleop' at 10 Hz, 100% of them moving" in shown
    assert "the tool went 0.030 m" in shown
    assert main(["demo", "label", str(one), "--outcome", "failure", "--label", "person=ada"]) == 0
    facts = DemonstrationFacts.read(one)
    assert (facts.outcome, facts.labels) == ("failure", {"person": "ada"})
    assert main(["demo", "discard", str(one)]) == 0
    assert not one.exists()
    assert main(["demo", "list", str(folder), "--trash"]) == 0
    assert "demo_000001" in capsys.readouterr().out
    assert main(["demo", "restore", str(one)]) == 0
    assert one.exists()


def test_what_is_no_demonstration_is_refused(tmp_path, capsys):
    assert main(["demo", "show", str(tmp_path)]) == 1
    assert main(["demo", "discard", str(tmp_path)]) == 1
    assert main(["demo", "list", str(tmp_path / "absent")]) == 1
    assert "expected the path of a demonstration" in capsys.readouterr().err


def test_a_real_arm_does_not_replay_unasked(folder, capsys):
    assert main(["demo", "replay", str(folder), "--rig", "sawyer"]) == 2
    assert "--on-robot" in capsys.readouterr().err


def test_a_rig_without_an_arm_and_a_missing_terminal_are_told(
    ros_environment, rig_file, capsys, monkeypatch
):
    assert main(["teleop", "--rig", "sim"]) == 1
    assert "no arm" in capsys.readouterr().err
    monkeypatch.setattr("sys.stdin", rig_file.open())
    assert main(["teleop", "--rig", str(rig_file)]) == 1
    assert "expected a terminal" in capsys.readouterr().err


class Terminal:
    """Runs the command at a pseudo-terminal and presses its keys."""

    def __init__(self, *arguments):
        self._pid, self._end = pty.fork()
        if self._pid == 0:
            os.execv(sys.executable, [sys.executable, "-c", COMMAND, *arguments])  # noqa: S606
        self._unread = ""

    def until(self, text, timeout_s=60.0):
        deadline = time.monotonic() + timeout_s
        while text not in self._unread:
            assert time.monotonic() < deadline, f"never: {text}\n{self._unread[-2000:]}"
            self.wait(0.1)
        self._unread = self._unread.split(text, 1)[1]

    def wait(self, seconds):
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            if select.select([self._end], [], [], left)[0]:
                try:
                    self._unread += os.read(self._end, 4096).decode(errors="replace")
                except OSError:
                    return

    def press(self, keys, pause_s=0.15):
        for key in KEY.findall(keys):
            os.write(self._end, key.encode())
            self.wait(pause_s)

    def end(self):
        """Read to the end; return the exit status."""
        while True:
            try:
                part = os.read(self._end, 4096)
            except OSError:
                part = b""
            if not part:
                break
            self._unread += part.decode(errors="replace")
        return os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])


@pytest.mark.graph
def test_a_person_records_at_the_keyboard_and_the_arm_does_it_again(
    ros_environment, rig_file, tmp_path
):
    out = tmp_path / "demos"
    desk = Terminal(
        "demo", "record", "--rig", str(rig_file), "--source", "keyboard", "--out", str(out),
        "--task", "wipe",
    )  # fmt: skip
    desk.until("arm holding")
    desk.press(" ")
    desk.until("arm following")
    desk.press("\r")
    desk.until("demo_000001")
    desk.press("www\x1b[Drrjs")
    desk.wait(0.8)
    desk.press("y")
    desk.until("success")
    desk.press("Q")
    assert desk.end() == 0
    facts = DemonstrationFacts.read(out / "demo_000001")
    assert (facts.outcome, facts.task, facts.commander) == ("success", "wipe", "teleop")
    assert facts.steps > 20

    again = ["demo", "replay", str(out), "--rig", str(rig_file), "--json", "--within-m", "0.01"]
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, *again], capture_output=True, text=True, check=False
    )
    assert done.stdout, done.stderr
    told = json.loads(done.stdout)
    assert (done.returncode, told["well"]) == (0, True), done
    assert told["replayed"]["error"]["end_m"] < 0.002
    assert told["replayed"]["taken"] > facts.steps
    assert told["replayed"]["clamped"] == told["replayed"]["deadman_stops"] == 0
