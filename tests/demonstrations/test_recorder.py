"""Whole demonstrations: what is written, judged, lost and kept."""

from pathlib import Path

import numpy as np
import pytest
from rosbags.highlevel import AnyReader

from tests.demonstrations.shown import SESSION, START, STEPS_HZ, Show
from tiltbot_ros.demonstrations.catalogue import demonstrations, discard, label, restore
from tiltbot_ros.demonstrations.facts import DEMONSTRATIONS, DemonstrationFacts
from tiltbot_ros.demonstrations.recorder import Finished, Lost
from tiltbot_ros.demonstrations.settings import DemonstrationSettings
from tiltbot_ros.demonstrations.steps import read_demonstration
from tiltbot_ros.episodes.folder import DataFolder
from tiltbot_ros.episodes.mcap import read_topics
from tiltbot_ros.episodes.writer import WriterSettings, file_crc32
from tiltbot_ros.errors import EpisodeError, RecordingError


@pytest.fixture
def show(tmp_path):
    made = Show(tmp_path / "demos")
    yield made
    made.recorder.finish(made.now_ns)
    made.folder.close()


def test_a_demonstration_is_whole_clean_and_has_a_row_a_step(show):
    done = show.one(seconds=3.0)
    assert isinstance(done, Finished)
    facts = done.facts
    assert facts.verdict.clean, facts.verdict.problems
    assert (facts.id, facts.task, facts.outcome) == ("demo_000001", "reach the mug", "success")
    assert (facts.commander, facts.kept, facts.ending) == ("teleop", True, "person")
    assert facts.duration_s == pytest.approx(3.0)
    assert facts.steps == 31  # both ends of the window
    assert facts.bag_crc32 == file_crc32(done.path / "demo_000001.mcap")
    assert DemonstrationFacts.read(done.path) == facts

    read = read_demonstration(done.path)
    assert len(read.steps) == 31
    np.testing.assert_array_equal(np.diff(read.steps.sequences), 1)
    np.testing.assert_allclose(np.diff(read.steps.stamps_ns), 1e9 / STEPS_HZ)
    np.testing.assert_allclose(read.steps.deltas[:, 0], 0.003)
    # Each row has the pose that was measured at its own stamp.
    np.testing.assert_allclose(
        read.steps.poses[:, 0] - START[0], 0.03 * (1.5 + np.arange(31) / STEPS_HZ), atol=1e-9
    )
    assert read.steps.joint_names == ("joint_1", "gripper")
    assert len(read.track.stamps_ns) == 151


def test_the_bag_is_a_rosbag_with_the_constant_facts(show):
    done = show.one(seconds=1.0)
    with AnyReader([done.path]) as reader:
        names = {connection.topic: connection.msgcount for connection in reader.connections}
    assert names["/arm/delta"] == 11
    assert names["/audio"] == 25
    assert names["/arm/state"] == 0
    text = (done.path / "metadata.yaml").read_text()
    assert "tiltbot.policy: demonstration" in text
    assert "/arm/pose" in read_topics((done.path / "demo_000001.mcap").read_bytes())


def test_only_what_is_stamped_within_the_window_is_recorded(show):
    done = show.one(seconds=1.0)
    read = read_demonstration(done.path)
    assert read.track.stamps_ns.min() >= done.facts.start_ns
    assert read.track.stamps_ns.max() <= done.facts.end_ns


def test_the_start_waits_for_streams_that_do_not_flow_yet(show):
    show.without = {"arm/delta"}
    show.run(1.5)
    assert "/arm/delta" in show.recorder.start("wipe", show.now_ns)
    assert not show.recorder.recording
    show.without = set()
    show.run(1.5)
    assert show.recorder.recording
    show.run(1.0)
    show.recorder.end("keep", show.now_ns)
    show.settle()
    assert show.outcomes[-1].facts.verdict.clean


def test_streams_that_stay_away_are_named(show):
    show.without = {"audio"}
    show.run(1.5)
    show.recorder.start("wipe", show.now_ns)
    show.run(6.0)
    assert isinstance(show.outcomes[-1], Lost)
    assert "no data on /audio" in show.recorder.problem
    assert show.recorder.drops["", "not_ready"] == 1
    assert list(show.folder.path.glob("demo_*")) == []


def test_a_second_start_is_refused_and_an_end_without_one(show):
    with pytest.raises(RecordingError, match="there is none"):
        show.recorder.end("keep", show.now_ns)
    show.run(1.5)
    show.recorder.start("wipe", show.now_ns)
    with pytest.raises(RecordingError, match="demo_000001 is being recorded"):
        show.recorder.start("wipe", show.now_ns)


def test_discarded_ones_go_to_the_trash_and_their_numbers_never_come_back(show):
    done = show.one(seconds=0.5, fate="discard")
    assert done.discarded
    assert done.path.parent.name == "trash"
    assert (show.recorder.kept, show.recorder.discarded) == (0, 1)
    assert show.one(seconds=0.5).facts.id == "demo_000002"


def test_a_label_of_the_session_holds_where_the_end_says_none(tmp_path):
    session = SESSION.model_copy(update={"label": "success"})
    show = Show(tmp_path / "demos", session=session)
    assert show.one(seconds=0.5, fate="keep").facts.outcome == "success"
    assert show.one(seconds=0.5, fate="failure").facts.outcome == "failure"
    show.folder.close()


@pytest.mark.parametrize(
    ("topic", "broken", "words"),
    [
        ("arm/delta", lambda tick: 100 < tick < 130, "steps lost"),
        ("arm/delta", lambda tick: 100 < tick < 130, "/arm/delta: longest gap"),
        ("arm/pose", lambda tick: 100 < tick < 115, "/arm/pose: longest gap"),
        ("audio", lambda tick: tick == 102, "320 frames lost"),
    ],
)
def test_holes_are_found(show, topic, broken, words):
    show.broken = lambda name, tick: name == topic and broken(tick)
    verdict = show.one(seconds=3.0).facts.verdict
    assert not verdict.clean
    assert any(words in problem for problem in verdict.problems), verdict.problems


def test_losses_in_transport_and_unreadable_messages_are_told(show):
    show.run(1.5)
    show.recorder.start("wipe", show.now_ns)
    show.run(1.0)
    show.recorder.on_lost("/arm/pose", 3, show.now_ns)
    show.recorder.on_message("/arm/pose", b"\xff\xff", show.now_ns)
    show.recorder.end("keep", show.now_ns)
    show.settle()
    facts = show.outcomes[-1].facts
    assert {(drop.cause, drop.count) for drop in facts.drops} == {
        ("transport", 3),
        ("malformed", 1),
    }
    assert not facts.verdict.clean


def test_a_clock_that_is_set_back_flags_the_demonstration(show):
    show.run(1.5)
    show.recorder.start("wipe", show.now_ns)
    show.run(1.0)
    show.now_ns -= 700_000_000
    show.run(1.0)
    show.recorder.end("keep", show.now_ns)
    show.settle()
    problems = " ".join(show.outcomes[-1].facts.verdict.problems)
    assert "clock_jump" in problems
    assert "stamps go back" in problems


def test_a_slow_disk_loses_messages_and_says_so(tmp_path):
    show = Show(tmp_path / "demos", settings=DemonstrationSettings(queue_bytes=1, late_s=0.1))
    facts = show.one(seconds=0.5).facts
    assert {drop.cause for drop in facts.drops} == {"queue_full"}
    assert not facts.verdict.clean
    show.folder.close()


def test_one_that_is_too_long_ends_by_itself(tmp_path):
    show = Show(tmp_path / "demos", settings=DemonstrationSettings(longest_s=1.0, late_s=0.1))
    show.run(1.5)
    show.recorder.start("wipe", show.now_ns)
    show.run(2.0)
    show.settle()
    facts = show.outcomes[-1].facts
    assert (facts.ending, facts.kept) == ("too_long", False)
    assert 1.0 <= facts.duration_s < 1.2
    show.folder.close()


def test_a_disk_that_becomes_full_ends_it_well(tmp_path, monkeypatch):
    show = Show(tmp_path / "demos", writer=WriterSettings(disk_floor_bytes=1000))
    free = [10_000]
    monkeypatch.setattr(show.folder, "free_bytes", lambda: free[0])
    show.run(1.5)
    show.recorder.start("wipe", show.now_ns)
    show.run(1.0)
    free[0] = 999
    show.run(0.2)
    show.settle()
    facts = show.outcomes[-1].facts
    assert (facts.ending, show.recorder.drops["", "disk_floor"]) == ("disk", 1)
    assert len(read_demonstration(show.outcomes[-1].path).steps) == facts.steps > 5
    with pytest.raises(RecordingError, match="make room"):
        show.recorder.start("wipe", show.now_ns)
    show.folder.close()


def test_a_disk_without_any_room_loses_only_that_one(show, monkeypatch):
    from rosbags.rosbag2 import storage_mcap  # noqa: PLC0415

    broken = [True]
    real = storage_mcap.McapWriter.close_chunk

    def close_chunk(self):
        if broken[0]:
            with Path("/dev/full").open("wb", buffering=0) as full:
                full.write(b"x")
        real(self)

    monkeypatch.setattr(storage_mcap.McapWriter, "close_chunk", close_chunk)
    lost = show.one(seconds=1.0)
    assert isinstance(lost, Lost)
    assert "No space left" in lost.reason
    assert show.recorder.drops["", "write_error"] == 1
    assert list(show.folder.path.glob("demo_*")) == []
    broken[0] = False
    assert isinstance(show.one(seconds=1.0), Finished)


def test_the_end_of_the_session_keeps_what_is_recorded(show):
    show.run(1.5)
    show.recorder.start("wipe", show.now_ns)
    show.run(1.0)
    (done,) = show.recorder.finish(show.now_ns)
    assert done.facts.ending == "shutdown"
    assert not done.facts.kept
    assert len(read_demonstration(done.path).steps) == 10


def test_a_folder_is_listed_sorted_and_labelled(show):
    for fate in ("success", "failure", "keep"):
        show.one(seconds=0.3, fate=fate)
    folder = show.folder.path
    (folder / "demo_000002" / "demonstration.json").write_text("{")
    entries = list(demonstrations(folder))
    assert [entry.path.name for entry in entries] == [f"demo_{n:06d}" for n in (1, 2, 3)]
    assert entries[1].facts is None
    assert "not the facts" in entries[1].problem
    label(folder, "demo_000003", outcome="success", labels={"person": "ada"})
    assert DemonstrationFacts.read(folder / "demo_000003").labels == {"person": "ada"}
    discard(folder, "demo_000003")
    restore(folder, "demo_000003")
    with pytest.raises(EpisodeError, match="expected a demonstration"):
        discard(folder, "../demos")


def test_what_a_killed_recorder_left_is_swept_or_finished(tmp_path):
    folder = tmp_path / "demos"
    half = folder / "demo_000004.partial" / "demo_000004"
    half.mkdir(parents=True)
    (half / "demo_000004.mcap").write_bytes(b"half")
    whole = folder / "demo_000003.partial" / "demo_000003"
    whole.mkdir(parents=True)
    (whole / "demonstration.json").write_text("{}")
    opened = DataFolder(folder, kind=DEMONSTRATIONS)
    assert (opened.swept, opened.recovered) == (("demo_000004",), ("demo_000003",))
    assert opened.take_number() == "demo_000005"
    opened.close()
