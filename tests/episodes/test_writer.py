import resource
import shutil
import subprocess
import sys
import time
from dataclasses import replace

import pytest
import streams
from rosbags.highlevel import AnyReader
from rosbags.interfaces import QosDurability
from streams import EPOCH_NS, NS, events, listdir

from tiltbot_ros.episodes.folder import DataFolder
from tiltbot_ros.episodes.reader import Episode
from tiltbot_ros.episodes.ring import StampedMessage
from tiltbot_ros.episodes.writer import EpisodeWriter, FailedEpisode, WriterSettings
from tiltbot_ros.errors import RecordingError


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 3 MB: an episode of 1.4 MB fits once."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", place], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"needs the right to mount: {mounted.stderr.decode()}")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def test_a_full_disk_costs_the_episode_and_nothing_else(bench, small_disk):
    bench = bench(out=small_disk / "data")
    bench.feed(events(32.0, (4.0, 9.0, 14.0, 19.0, 24.0, 29.0)))
    while bench.writer.pending:
        time.sleep(0.01)
        bench.outcomes += bench.recorder.tick(bench.now_ns)
    failed = [o for o in bench.outcomes if isinstance(o, FailedEpisode)]
    assert failed
    assert {f.cause for f in failed} == {"write_error"}
    assert "No space left" in failed[0].reason
    assert bench.dropped("write_error") == len(failed)
    finished = [o for o in bench.outcomes if not isinstance(o, FailedEpisode)]
    assert finished
    assert not list(bench.folder.path.glob("*.partial"))
    for one in finished:
        assert Episode.open(one.path).check().clean
        shutil.rmtree(one.path)
    bench.feed(events(10.0, (5.0,), start_ns=EPOCH_NS + 32 * NS))
    bench.close()
    assert bench.outcomes[-1].facts.verdict.clean is False or bench.outcomes[-1].path.is_dir()
    assert not isinstance(bench.outcomes[-1], FailedEpisode)


def test_a_write_that_fails_midway_costs_the_episode_and_nothing_else(bench):
    bench = bench()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
    try:
        bench.feed(events(9.0, (4.0,)))
        while bench.writer.pending:
            time.sleep(0.01)
            bench.outcomes += bench.recorder.tick(bench.now_ns)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    (failed,) = bench.outcomes
    assert (failed.cause, failed.contact_stamp_ns // NS) == ("write_error", EPOCH_NS // NS + 4)
    assert "File too large" in failed.reason
    assert listdir(bench.folder.path) == []
    bench.detector = type(bench.detector)(bench.detector.settings, streams.FORMAT)
    bench.feed(events(9.0, (4.0,), start_ns=EPOCH_NS + 9 * NS))
    assert [o.facts.id for o in bench.close()[1:]] == ["ep_000002"]


def test_the_disk_floor_is_left_free(bench):
    bench = bench(writer=WriterSettings(disk_floor_bytes=2**62))
    bench.feed(events(8.0, (4.0,)))
    (failed,) = bench.close()
    assert failed.cause == "disk_floor"
    assert "make room" in failed.reason
    assert bench.dropped("disk_floor") == 1
    assert listdir(bench.folder.path) == []


def test_a_full_queue_refuses_and_is_counted(bench, monkeypatch):
    bench = bench(writer=WriterSettings(disk_floor_bytes=0, queue_length=1))
    gate = []
    write = bench.writer._write

    def slow(content):
        while not gate:
            time.sleep(0.001)
        return write(content)

    monkeypatch.setattr(bench.writer, "_write", slow)
    bench.feed(events(20.0, (4.0, 8.1, 12.2, 16.3)))
    assert bench.recorder.status(bench.now_ns, 0).pending == 2
    gate.append(True)
    bench.close()
    assert bench.dropped("queue_full") == 2
    assert len(bench.outcomes) == 2


def test_two_recorders_cannot_share_a_folder(tmp_path):
    folder = DataFolder(tmp_path)
    with pytest.raises(RecordingError, match="another recorder"):
        DataFolder(tmp_path)
    code = f"from tiltbot_ros.episodes.folder import *; DataFolder(Path({str(tmp_path)!r}))"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert b"another recorder" in other.stderr
    folder.close()
    DataFolder(tmp_path).close()


def test_a_folder_that_cannot_be_made_is_a_clear_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordingError, match="cannot be written to"):
        DataFolder(tmp_path / "file" / "data")


def test_the_bag_is_what_any_ros_2_tool_expects(recorded):
    path = recorded / "ep_000001"
    assert listdir(path) == ["ep_000001.mcap", "episode.json", "metadata.yaml"]
    with AnyReader([path]) as reader:
        assert {c.topic: c.msgcount for c in reader.connections} == {
            "/audio": 401,
            "/audio/info": 1,
            "/camera/color/image_raw": 24,
            "/tray/pose": 400,
            "/tilt": 1,
            "/contact": 1,
        }
        profiles = {c.topic: c.ext.offered_qos_profiles[0].durability for c in reader.connections}
        assert profiles["/audio/info"] == QosDurability.TRANSIENT_LOCAL
        assert profiles["/audio"] == QosDurability.VOLATILE
        stamps = []
        for connection, log_ns, raw in reader.messages():
            stamps.append(log_ns)
            message = reader.deserialize(raw, connection.msgtype)
            header = message.header.stamp.sec * NS + message.header.stamp.nanosec
            if connection.topic not in ("/audio/info", "/tilt"):
                assert log_ns == header
        assert stamps == sorted(stamps)
        assert stamps[-1] - stamps[0] <= 4.02 * NS, "playing must not begin with a pause"


def test_type_hashes_are_those_of_the_generated_interfaces(recorded):
    typesupport = pytest.importorskip("tiltbot.msg")
    with AnyReader([recorded / "ep_000001"]) as reader:
        for connection in reader.connections:
            package, _, name = connection.msgtype.split("/")
            if package == "tiltbot":
                known = getattr(typesupport, name).get_fields_and_field_types()
                fields = reader.typestore.get_msgdef(connection.msgtype).fields
                assert [name for name, _ in fields] == list(known)


def test_compressed_bags_hold_the_same(tmp_path, bench, recorded):
    bench = bench(writer=WriterSettings(disk_floor_bytes=0, compress=True))
    bench.feed(events(14.0, (4.0, 9.5))).close()
    plain, small = Episode.open(recorded / "ep_000001"), Episode.open(bench.outcomes[0].path)
    assert small.facts.bag_bytes < plain.facts.bag_bytes
    assert dict(small.messages) == dict(plain.messages)


def test_a_writer_writes_all_it_took_before_it_ends(tmp_path, recorded):
    content = Episode.open(recorded / "ep_000001").content()
    folder = DataFolder(tmp_path / "data")
    writer = EpisodeWriter(
        folder, streams.facts(), WriterSettings(disk_floor_bytes=0), lambda: 5, wait_when_full=False
    )
    assert all(writer.submit(content) for _ in range(5))
    assert [o.facts.id for o in writer.close()] == [f"ep_{i:06d}" for i in range(1, 6)]
    assert writer.pending == 0
    folder.close()
    assert (tmp_path / "data" / "ep_000003" / "metadata.yaml").is_file()


def test_the_writer_outlives_whatever_an_episode_does_to_it(tmp_path, recorded, monkeypatch):
    content = Episode.open(recorded / "ep_000001").content()
    folder = DataFolder(tmp_path / "data")
    writer = EpisodeWriter(folder, streams.facts(), WriterSettings(disk_floor_bytes=0), lambda: 5)
    broken = StampedMessage(stamp_ns=content.start_ns, data=None)
    writer.submit(replace(content, messages={**content.messages, "/tray/pose": (broken,)}))
    writer.submit(content)
    failed, finished = writer.close()
    assert failed.cause == "write_error"
    assert finished.facts.id in listdir(folder.path)
    folder.close()
