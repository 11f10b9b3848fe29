"""Which recorded message is played when, where, and with which stamps."""

import shutil
import threading

import numpy as np
import pytest
from rosbags.rosbag2 import StoragePlugin, Writer

from tests.episodes import streams
from tiltbot_ros.episodes.cdr import header_stamp_ns, read_audio
from tiltbot_ros.episodes.detector import ContactDetector, DetectorSettings
from tiltbot_ros.episodes.offline import cut_bag
from tiltbot_ros.episodes.offline_session import CutOptions
from tiltbot_ros.episodes.tilts import read_tilt
from tiltbot_ros.episodes.topics import RecordedTopic
from tiltbot_ros.episodes.typestore import typestore
from tiltbot_ros.errors import EpisodeError
from tiltbot_ros.pacing import Player
from tiltbot_ros.replaying import (
    Played,
    ReplaySettings,
    find_recordings,
    needs_clock,
    replay_topics,
    schedule,
)
from tiltbot_ros.topics import AUDIO, AUDIO_INFO

NS = streams.NS
T0 = streams.EPOCH_NS
NOW = T0 + 1000 * NS
BLOCK_NS = streams.BLOCK * NS // streams.FORMAT.sample_rate


def write_recording(path, seconds=6.0, contacts=(3.0,), *, space="", start_ns=T0):
    """Write a long bag as `ros2 bag record` would; return its events in order of receipt."""
    events = streams.events(seconds, contacts, start_ns=start_ns)
    writer = Writer(path, version=9, storage_plugin=StoragePlugin.MCAP)
    with writer:
        connections = {
            topic.name: writer.add_connection(
                f"{space}{topic.name}",
                topic.type,
                typestore=typestore(),
                offered_qos_profiles=[topic.qos()],
            )
            for topic in streams.TOPICS
        }
        for event in events:
            writer.write(connections[event.topic], event.receive_ns, event.data)
    return events


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    path = tmp_path_factory.mktemp("recordings") / "long"
    write_recording(path)
    return path


@pytest.fixture(scope="module")
def episodes(tmp_path_factory):
    """A data folder with two episodes."""
    folder = tmp_path_factory.mktemp("data")
    write_recording(folder / "long", 14.0, (3.0, 10.0))
    cut = cut_bag(folder / "long", folder / "episodes", CutOptions())
    assert len(cut.outcomes) == 2
    return folder / "episodes"


def _play(path, **settings):
    return list(
        schedule(find_recordings(path), ReplaySettings(path=str(path), **settings), start_ns=NOW)
    )


# What is played


def test_kept_messages_are_the_recorded_bytes(recording, tmp_path):
    recorded = sorted(event.data for event in write_recording(tmp_path / "again"))
    assert sorted(played.data for played in _play(recording, stamps="kept")) == recorded


def test_topics_that_are_left_out_are_not_played(recording):
    played = _play(recording, without=["audio", "tilt"])
    assert {message.topic.name for message in played} == {
        "audio/info",
        "camera/color/image_raw",
        "tray/pose",
    }


def test_a_folder_is_played_episode_after_episode_with_a_gap(episodes):
    began = []
    settings = ReplaySettings(gap_s=2.0)
    played = list(schedule(find_recordings(episodes), settings, start_ns=NOW, began=began.append))
    assert [path.name for path in began] == ["ep_000001", "ep_000002"]
    steps = np.diff([message.at_ns for message in played])
    assert steps.min() >= 0
    assert steps.max() == 2 * NS


def test_a_loop_begins_again_after_the_gap(recording):
    settings = ReplaySettings(loop=True, gap_s=0.5)
    once = _play(recording, gap_s=0.5)
    played = schedule(find_recordings(recording), settings, start_ns=NOW)
    twice = [next(played) for _ in range(2 * len(once))]
    period = once[-1].at_ns + NS // 2
    assert [m.at_ns for m in twice[len(once) :]] == [m.at_ns + period for m in once]


def test_a_recording_that_cannot_be_read_is_told_and_the_next_one_follows(episodes, tmp_path):
    folder = tmp_path / "episodes"
    shutil.copytree(episodes, folder)
    bag = next((folder / "ep_000001").glob("*.mcap"))
    bag.write_bytes(bag.read_bytes()[:100])
    failed, began = [], []
    played = list(
        schedule(
            find_recordings(folder),
            ReplaySettings(),
            start_ns=NOW,
            began=began.append,
            failed=failed.append,
        )
    )
    assert len(began) == 2
    assert played
    assert len(failed) == 1
    assert "ep_000001" in str(failed[0])
    with pytest.raises(EpisodeError, match="ep_000001"):
        list(schedule(find_recordings(folder), ReplaySettings(), start_ns=NOW))


def test_nothing_to_play_is_an_error(recording, tmp_path):
    with pytest.raises(EpisodeError, match="expected messages"):
        _play(recording, without=[topic.name[1:] for topic in streams.TOPICS])
    with pytest.raises(EpisodeError, match="expected a data folder"):
        find_recordings(tmp_path)
    with pytest.raises(EpisodeError, match="none"):
        find_recordings(tmp_path / "absent")


# When


@pytest.mark.parametrize("stamps", ["kept", "shifted"])
def test_messages_come_in_order_and_not_before_they_could_be_known(recording, stamps):
    played = _play(recording, stamps=stamps)
    times = [message.ros_ns for message in played]
    assert times == sorted(times)
    assert [m.at_ns - played[0].at_ns for m in played] == [t - times[0] for t in times]
    for message in played:
        if message.topic.name == "audio":
            assert message.ros_ns >= header_stamp_ns(message.data) + BLOCK_NS
        if message.topic.name == "tilt" and message is not played[-1]:
            assert message.ros_ns >= read_tilt(message.data).end_ns


def test_a_tilt_that_ends_after_its_episode_is_played_at_the_end(episodes):
    path = find_recordings(episodes)[0]
    played = _play(path, stamps="kept")
    tilts = [message for message in played if message.topic.name == "tilt"]
    assert len(tilts) == 1
    end_ns = max(message.ros_ns for message in played)
    assert tilts[0].ros_ns == min(read_tilt(tilts[0].data).end_ns, end_ns)


# With which stamps


def test_shifted_stamps_begin_now_and_keep_their_distances(recording):
    kept = _play(recording, stamps="kept")
    shifted = _play(recording, stamps="shifted")
    assert shifted[0].ros_ns == NOW
    offset = NOW - kept[0].ros_ns
    for before, after in zip(kept, shifted, strict=True):
        assert after.topic == before.topic
        assert header_stamp_ns(after.data) == header_stamp_ns(before.data) + offset
    tilts = [
        [read_tilt(m.data) for m in played if m.topic.name == "tilt"] for played in (kept, shifted)
    ]
    assert tilts[1][0].start_ns == tilts[0][0].start_ns + offset
    assert tilts[1][0].end_ns == tilts[0][0].end_ns + offset


def test_shifted_sound_is_the_recorded_sound(recording):
    def samples(played):
        return np.concatenate(
            [read_audio(m.data).block.samples for m in played if m.topic.name == "audio"]
        )

    np.testing.assert_array_equal(
        samples(_play(recording, stamps="shifted")), samples(_play(recording, stamps="kept"))
    )


def test_only_unchanged_time_needs_no_clock():
    assert not needs_clock(ReplaySettings())
    assert needs_clock(ReplaySettings(stamps="kept"))
    assert needs_clock(ReplaySettings(rate=2.0))


# Where


def _topics(*names):
    kinds = {"audio": "tiltbot/msg/ContactAudio", "audio/info": "tiltbot/msg/ContactAudioInfo"}
    return [
        RecordedTopic(
            name=name,
            type=next(
                (k for n, k in kinds.items() if name.endswith(f"/{n}")), "std_msgs/msg/String"
            ),
            depth=3,
            latched=name.endswith("late"),
        )
        for name in names
    ]


def test_the_namespace_of_the_recorded_rig_is_taken_off():
    played = replay_topics(_topics("/lab/rig_a/audio", "/lab/rig_a/audio/info", "/tf"))
    assert played["/lab/rig_a/audio"] is AUDIO
    assert played["/lab/rig_a/audio/info"] is AUDIO_INFO
    assert played["/tf"].name == "/tf"


def test_a_rig_without_a_namespace_is_played_with_relative_names():
    played = replay_topics(_topics("/audio", "/force"))
    assert played["/audio"] is AUDIO
    assert played["/force"].name == "force"


def test_topics_of_two_rigs_keep_their_names():
    played = replay_topics(_topics("/a/audio", "/b/audio"))
    assert {topic.name for topic in played.values()} == {"a/audio", "b/audio"}


def test_topics_outside_the_table_have_the_quality_they_were_recorded_with():
    played = replay_topics(_topics("/audio", "/map_late"))["/map_late"]
    assert (played.latched, played.depth) == (True, 3)


# In step with time


class _Clock:
    """A clock that only waiting moves."""

    def __init__(self):
        self.now_ns = 0
        self.stopped_at_ns = None

    def monotonic(self):
        return self.now_ns

    def wait(self, seconds):
        self.now_ns += round(seconds * NS)
        return self.is_set()

    def is_set(self):
        return self.stopped_at_ns is not None and self.now_ns >= self.stopped_at_ns


def _run(messages, clock, **settings):
    sent, told = [], []
    player = Player(
        ReplaySettings(**settings),
        publish=lambda topic, data: sent.append((clock.now_ns, topic.name, data)),
        tell_time=lambda t: told.append((clock.now_ns, t)),
        stop=clock,
        monotonic=clock.monotonic,
    )
    player.play(messages)
    return sent, told, player


def _messages(*at_s, ros_s=100.0):
    return [
        Played(at_ns=round(at * NS), ros_ns=round((ros_s + at) * NS), topic=AUDIO, data=b"")
        for at in at_s
    ]


@pytest.mark.parametrize("rate", [0.5, 1.0, 4.0])
def test_messages_are_sent_at_their_time_divided_by_the_rate(rate):
    sent, _, player = _run(_messages(0.0, 0.25, 1.0, 4.0), _Clock(), rate=rate, linger_s=0.0)
    assert [t / NS for t, _, _ in sent] == pytest.approx([0.0, 0.25 / rate, 1 / rate, 4 / rate])
    assert player.sent == 4
    assert player.late_s == 0.0


def test_the_clock_tells_the_recordings_time_also_in_gaps_and_afterwards():
    messages = [*_messages(0.0, 0.35), *_messages(1.0, ros_s=500.0)]
    _, told, _ = _run(messages, _Clock(), clock_hz=10.0, rate=2.0, linger_s=0.4)
    wall = [t / NS for t, _ in told]
    assert np.diff(wall) == pytest.approx(0.1, abs=0.026)
    shown = np.array([t / NS for _, t in told])
    before = np.array(wall) < 0.5
    assert shown[before] == pytest.approx(100.0 + 2.0 * np.array(wall)[before])
    assert shown[~before] == pytest.approx(501.0 + 2.0 * (np.array(wall)[~before] - 0.5))
    assert wall[-1] >= 0.6


def test_a_replay_can_be_stopped_in_the_middle_of_a_wait():
    clock = _Clock()
    clock.stopped_at_ns = 2 * NS
    sent, _, _ = _run(_messages(0.0, 1.0, 3.0), clock)
    assert len(sent) == 2


def test_a_real_clock_keeps_the_pace():
    stop = threading.Event()
    sent = []
    player = Player(
        ReplaySettings(rate=10.0, linger_s=0.0),
        publish=lambda _, data: sent.append(data),
        tell_time=lambda _: None,
        stop=stop,
    )
    player.play(_messages(*np.linspace(0.0, 2.0, 20)))
    assert len(sent) == 20


# Parity


@pytest.mark.parametrize("stamps", ["kept", "shifted"])
def test_a_replayed_recording_has_the_same_contacts(recording, tmp_path, stamps):
    """The detector hears in the replay what was heard in the recording, frame by frame."""
    cut = cut_bag(recording, tmp_path, CutOptions())
    played = _play(recording, stamps=stamps)
    detector = ContactDetector(DetectorSettings(), streams.FORMAT)
    heard = [
        contact
        for message in played
        if message.topic.name == "audio"
        for contact in detector.process(read_audio(message.data).block)
    ]
    offset = NOW - _play(recording, stamps="kept")[0].ros_ns if stamps == "shifted" else 0
    assert [c.sample for c in heard] == [c.sample for c in cut.contacts]
    assert [c.stamp_ns - offset for c in heard] == [c.stamp_ns for c in cut.contacts]
