import contextlib
import shutil
from dataclasses import replace

import numpy as np
import pytest
import streams
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from streams import EPOCH_NS, NS

from tiltbot_ros.episodes.facts import EpisodeFacts
from tiltbot_ros.episodes.reader import Episode
from tiltbot_ros.episodes.ring import StampedMessage
from tiltbot_ros.episodes.topics import RecordedTopic
from tiltbot_ros.episodes.writer import file_crc32
from tiltbot_ros.errors import EpisodeError
from tiltbot_ros.sensors.image_codec import COLOR_FORMAT, DEPTH_FORMAT, pack_color, pack_depth


@pytest.fixture(scope="module")
def episode(recorded):
    return Episode.open(recorded / "ep_000001")


def test_the_sound_is_the_one_that_was_sent(episode):
    sound = episode.audio()
    sent = streams.impacts(14.0, (4.0, 9.5))
    first = sound.first_sample
    assert np.array_equal(sound.samples, sent[first : first + len(sound.samples)])
    assert (sound.sample_rate, sound.full_scale, sound.missing) == (44100, 32768, 0)
    assert sound.first_stamp_ns == EPOCH_NS + first * NS // 44100


def test_pictures_have_their_stamps_and_pixels(episode):
    images = episode.images()
    assert images.frames.shape == (24, 24, 32, 3)
    assert images.frames.dtype == np.uint8
    sent = np.round((images.stamps_ns - EPOCH_NS) * 6 / NS).astype(int)
    assert np.array_equal(images.frames[:, 0, 0, 0], sent)


def compressed(episode, name, packed, image_format):
    raw = streams.serialise(
        "sensor_msgs/msg/CompressedImage",
        header=streams.make_header(EPOCH_NS, "camera"),
        format=image_format,
        data=np.frombuffer(packed, np.uint8),
    )
    topic = RecordedTopic(name=name, type="sensor_msgs/msg/CompressedImage")
    constant = replace(episode.constant, topics=(*episode.constant.topics[:2], topic))
    message = StampedMessage(stamp_ns=EPOCH_NS, data=raw)
    return Episode(episode.path, episode.facts, constant, {name: (message,)})


def test_compressed_pictures_are_read_under_the_name_of_the_raw_ones(episode):
    depth = np.arange(48, dtype=np.uint16).reshape(6, 8) * 300
    name = "camera/aligned_depth_to_color/image_raw"
    packed = pack_depth(depth, png_level=1)
    one = compressed(episode, f"/{name}/compressedDepth", packed, DEPTH_FORMAT)
    for asked in (name, f"/{name}", f"{name}/compressedDepth"):
        images = one.images(asked)
        assert np.array_equal(images.frames, depth[None])
        assert (images.encoding, images.stamps_ns.tolist()) == ("16UC1", [EPOCH_NS])
    color = np.full((6, 8, 3), (200, 100, 50), np.uint8)
    packed = pack_color(color, jpeg_quality=95)
    one = compressed(episode, "/camera/color/image_raw/compressed", packed, COLOR_FORMAT)
    assert np.abs(one.images().frames[0].astype(int) - color).max() <= 3
    with pytest.raises(EpisodeError, match="compressed"):
        one.images("camera/infrared")


def test_a_compressed_picture_that_is_damaged_is_named_with_its_episode(episode):
    name = "/camera/color/image_raw/compressed"
    one = compressed(episode, name, b"no jpeg at all", COLOR_FORMAT)
    with pytest.raises(EpisodeError, match=r"ep_000001.*expected a picture"):
        one.images()


def test_pictures_of_several_sizes_are_refused(episode):
    name = "/camera/color/image_raw"
    both = [streams.image(EPOCH_NS + i, height=24 + i) for i in range(2)]
    messages = tuple(StampedMessage(stamp_ns=EPOCH_NS + i, data=d) for i, d in enumerate(both))
    one = Episode(episode.path, episode.facts, episode.constant, {name: messages})
    with pytest.raises(EpisodeError, match="one size"):
        one.images()


def test_depth_in_millimetres_with_padded_rows_of_either_byte_order(episode):
    depth = np.arange(12, dtype=np.uint16).reshape(3, 4) * 300
    for big in (0, 1):
        rows = depth.astype(">u2" if big else "<u2").view(np.uint8).reshape(3, 8)
        data = np.pad(rows, ((0, 0), (0, 5))).reshape(-1)
        raw = streams.serialise(
            "sensor_msgs/msg/Image",
            header=streams.make_header(EPOCH_NS, "camera"),
            height=3,
            width=4,
            encoding="16UC1",
            is_bigendian=big,
            step=13,
            data=data,
        )
        name = "/camera/color/image_raw"
        message = StampedMessage(stamp_ns=EPOCH_NS, data=raw)
        one = Episode(episode.path, episode.facts, episode.constant, {name: (message,)})
        assert np.array_equal(one.images(name).frames[0], depth)
        assert one.images(name).frames.dtype == np.uint16


def test_the_tray_turns_as_it_was_told(episode):
    tray = episode.tray()
    steps = np.round((tray.stamps_ns - EPOCH_NS) * 100 / NS)
    assert np.allclose(tray.rotation_vectors[:, 0], 0.2 * np.sin(steps / 50), atol=1e-9)
    assert tray.frame_id == "tray_level"


def test_the_tilt_and_the_contact_are_those_of_the_bag(episode):
    assert episode.tilt().rotation == (0.2, 0.0, 0.0)
    (message,) = episode.deserialised("contact")
    assert message.sample == episode.contact().sample
    assert episode.locations.__doc__


def test_constant_facts_come_back_from_the_bag(episode):
    assert episode.constant == streams.facts()


def test_an_unknown_topic_is_refused_with_the_known_ones(episode):
    with pytest.raises(EpisodeError, match="/tray/pose"):
        episode.poses("tray/pse")


@pytest.fixture(scope="module")
def victim(recorded, tmp_path_factory):
    path = tmp_path_factory.mktemp("victim") / "ep_000001"
    shutil.copytree(recorded / "ep_000001", path)
    return path


FILES = ("ep_000001.mcap", "metadata.yaml", "episode.json")


def use(path):
    episode = Episode.open(path)
    episode.check()
    episode.audio()
    episode.images()
    episode.tray()


@given(
    name=st.sampled_from(FILES),
    where=st.floats(0, 1),
    flips=st.lists(st.integers(1, 255), min_size=0, max_size=4),
    cut=st.booleans(),
    checksum=st.booleans(),
)
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_damaged_files_are_read_or_refused_with_an_episode_error(
    victim, name, where, flips, cut, checksum
):
    """With `checksum` off, the damage reaches the parsers behind it."""
    path = victim / name
    whole = path.read_bytes()
    at = int(where * (len(whole) - 1))
    broken = bytearray(whole)
    for i, flip in enumerate(flips):
        broken[min(at + i, len(broken) - 1)] ^= flip
    if cut:
        del broken[at:]
    facts = EpisodeFacts.read
    patch = pytest.MonkeyPatch()
    try:
        path.write_bytes(broken)
        if not checksum:
            size = (victim / FILES[0]).stat().st_size
            crc = file_crc32(victim / FILES[0])

            def pretend(directory):
                return replace(facts(directory), bag_bytes=size, bag_crc32=crc)

            patch.setattr(EpisodeFacts, "read", pretend)
        with contextlib.suppress(EpisodeError):
            use(victim)
    finally:
        patch.undo()
        path.write_bytes(whole)


@pytest.mark.parametrize("end", [0, 8, 100, -1, -37])
def test_a_truncated_bag_is_named(victim, end):
    path = victim / FILES[0]
    whole = path.read_bytes()
    try:
        path.write_bytes(whole[:end])
        with pytest.raises(EpisodeError, match=r"ep_000001\.mcap.*truncated"):
            Episode.open(victim)
    finally:
        path.write_bytes(whole)


def test_a_flipped_bit_in_the_sound_is_found(victim):
    path = victim / FILES[0]
    whole = path.read_bytes()
    broken = bytearray(whole)
    broken[len(whole) // 2] ^= 1
    try:
        path.write_bytes(broken)
        with pytest.raises(EpisodeError, match="corrupt"):
            Episode.open(victim)
    finally:
        path.write_bytes(whole)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(recorded, tmp_path, name):
    path = tmp_path / "ep_000001"
    shutil.copytree(recorded / "ep_000001", path)
    (path / name).unlink()
    with pytest.raises(EpisodeError, match="ep_000001"):
        Episode.open(path)


def test_no_directory_is_an_episode_error(tmp_path):
    with pytest.raises(EpisodeError, match="found none"):
        Episode.open(tmp_path / "ep_000099")
