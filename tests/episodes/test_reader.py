import contextlib
import shutil
from dataclasses import replace

import numpy as np
import pytest
import streams
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from streams import EPOCH_NS, NS

from tiltbot_ros.episodes import reader as reader_module
from tiltbot_ros.episodes.reader import Episode
from tiltbot_ros.episodes.writer import file_crc32
from tiltbot_ros.errors import EpisodeError


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
        message = reader_module.StampedMessage(stamp_ns=EPOCH_NS, data=raw)
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
    facts = reader_module.EpisodeFacts.read
    patch = pytest.MonkeyPatch()
    try:
        path.write_bytes(broken)
        if not checksum:
            size = (victim / FILES[0]).stat().st_size
            crc = file_crc32(victim / FILES[0])

            def pretend(directory):
                return replace(facts(directory), bag_bytes=size, bag_crc32=crc)

            patch.setattr(reader_module.EpisodeFacts, "read", pretend)
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
