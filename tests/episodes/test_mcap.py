"""Bags read directly say what rosbags says, and take no memory that they only claim."""

import struct
import tracemalloc
import zlib

import lz4.frame  # comes with rosbags
import pytest
import yaml
from rosbags.rosbag2 import CompressionFormat, CompressionMode, Reader, StoragePlugin, Writer
from rosbags.rosbag2.storage_mcap import zstd

from tiltbot_ros.episodes import mcap
from tiltbot_ros.episodes.constant import check_metadata, read_constant_facts
from tiltbot_ros.episodes.facts import ConstantFacts
from tiltbot_ros.episodes.mcap import read_topics
from tiltbot_ros.episodes.mcap_sizes import check_sizes
from tiltbot_ros.episodes.typestore import typestore
from tiltbot_ros.errors import EpisodeError

MAGIC = b"\x89MCAP0\r\n"


def by_rosbags(path):
    found = {}
    with Reader(path) as reader:
        for connection, log_ns, data in reader.messages():
            found.setdefault(connection.topic, []).append((log_ns, bytes(data)))
        custom = reader.storage.metadata.custom
    return found, custom


def by_us(data, names=None):
    return {
        name: list(zip(topic.logged_ns, map(bytes, topic.messages), strict=True))
        for name, topic in read_topics(data, names).items()
        if topic.messages
    }


def text(value: bytes) -> bytes:
    return struct.pack("<I", len(value)) + value


def record(kind: int, content: bytes) -> bytes:
    return struct.pack("<BQ", kind, len(content)) + content


def chunk(packed: bytes, size: int, way: bytes, crc: int = 0) -> bytes:
    head = struct.pack("<QQQI", 0, 0, size, crc) + text(way)
    return record(6, head + struct.pack("<Q", len(packed)) + packed)


def bag(*records: bytes) -> bytes:
    return MAGIC + b"".join(records) + record(15, bytes(4)) + record(2, bytes(20)) + MAGIC


def test_every_message_is_there(recorded):
    path = recorded / "ep_000001"
    messages, _ = by_rosbags(path)
    assert by_us((path / "ep_000001.mcap").read_bytes()) == messages


def test_packed_chunks_too(recorded, tmp_path):
    path = tmp_path / "packed"
    writer = Writer(path, version=9, storage_plugin=StoragePlugin.MCAP)
    writer.set_compression(CompressionMode.STORAGE, CompressionFormat.ZSTD)
    with Reader(recorded / "ep_000001") as reader, writer:
        taken = {
            c.id: writer.add_connection(c.topic, c.msgtype, typestore=typestore())
            for c in reader.connections
        }
        for connection, log_ns, data in reader.messages():
            writer.write(taken[connection.id], log_ns, data)
    messages, _ = by_rosbags(path)
    assert by_us((path / "packed.mcap").read_bytes()) == messages
    check_sizes(path / "packed.mcap")


def test_only_the_topics_that_are_asked_for(recorded):
    data = (recorded / "ep_000001" / "ep_000001.mcap").read_bytes()
    every = by_us(data)
    name = next(iter(every))
    assert by_us(data, {name, "/nothing"}) == {name: every[name]}


@pytest.mark.parametrize("size", [1 << 29, 1000])
@pytest.mark.parametrize("way", [b"zstd", b"lz4"])
def test_a_bomb_does_not_go_off(tmp_path, size, way):
    zeros = bytes(1 << 26)
    packed = zstd.compress(zeros) if way == b"zstd" else lz4.frame.compress(zeros)
    assert len(packed) < 1 << 20
    data = bag(chunk(packed, size, way))
    tracemalloc.start()
    with pytest.raises(EpisodeError, match="expected a chunk"):
        read_topics(data)
    assert tracemalloc.get_traced_memory()[1] < 1 << 22
    tracemalloc.stop()


def test_chunks_packed_with_lz4():
    channel = record(4, struct.pack("<HH", 3, 1) + text(b"/a") + text(b"cdr") + text(b""))
    schema = record(3, struct.pack("<H", 1) + text(b"a/msg/B") + text(b"ros2msg") + text(b""))
    message = record(5, struct.pack("<HIQQ", 3, 0, 77, 77) + b"hello")
    content = schema + channel + message
    data = bag(chunk(lz4.frame.compress(content), len(content), b"lz4", zlib.crc32(content)))
    assert by_us(data) == {"/a": [(77, b"hello")]}


def test_many_chunks_have_a_limit_together(monkeypatch):
    content = record(3, struct.pack("<H", 1) + text(b"x") * 3)
    one = chunk(content, len(content), b"", zlib.crc32(content))
    monkeypatch.setattr(mcap, "LARGEST_BAG", 2 * len(content))
    assert read_topics(bag(one, one)) == {}
    with pytest.raises(EpisodeError, match="together"):
        read_topics(bag(one, one, one))


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "magic"),
        (MAGIC, "magic"),
        (bag(record(5, b"")), "expected a message"),
        (bag(record(5, struct.pack("<HIQQ", 7, 0, 0, 0))), "known channel"),
        (bag(chunk(b"x", 1, b"rle")), "packed with zstd, lz4"),
        (bag(chunk(b"abc", 3, b"", crc=5)), "checksum"),
        (bag(struct.pack("<BQ", 5, 1 << 60)), "within the file"),
    ],
)
def test_what_is_no_bag_is_refused(data, told):
    with pytest.raises((EpisodeError, struct.error), match=told):
        read_topics(data)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (bag(struct.pack("<BQ", 5, 1 << 60)), "ends .* behind it"),
        (bag(chunk(zstd.compress(bytes(1 << 29)), 100, b"zstd")), "at most"),
        (bag(chunk(b"", 1 << 40, b"")), "at most"),
    ],
)
def test_sizes_of_long_bags_are_looked_at_first(tmp_path, data, told):
    path = tmp_path / "a.mcap"
    path.write_bytes(bag())
    check_sizes(path)
    path.write_bytes(data)
    with pytest.raises(EpisodeError, match=told):
        check_sizes(path)


def test_constant_facts_are_those_that_rosbags_reads(recorded, tmp_path):
    path = recorded / "ep_000001"
    _, custom = by_rosbags(path)
    assert read_constant_facts(path) == ConstantFacts.from_custom_data(custom, path)
    # As another tool may lay the file out.
    whole = yaml.safe_load((path / "metadata.yaml").read_text())
    (tmp_path / "metadata.yaml").write_text(yaml.safe_dump(whole, indent=4))
    assert read_constant_facts(tmp_path) == read_constant_facts(path)


def test_metadata_must_fit_the_bag(recorded, tmp_path):
    path = recorded / "ep_000001"
    messages = sum(map(len, by_rosbags(path)[0].values()))
    check_metadata(path, messages=messages)
    with pytest.raises(EpisodeError, match="expected 3 messages"):
        check_metadata(path, messages=3)
    (tmp_path / "metadata.yaml").write_bytes((path / "metadata.yaml").read_bytes())
    with pytest.raises(EpisodeError, match="in files that are there"):
        check_metadata(tmp_path, messages=messages)
