import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from streams import EPOCH_NS, FORMAT, serialise

from tiltbot_ros.episodes.cdr import header_stamp_ns, make_header, read_audio, write_audio
from tiltbot_ros.episodes.typestore import AUDIO_TYPE, typestore
from tiltbot_ros.errors import EpisodeError
from tiltbot_ros.sensors.audio import AudioBlock, AudioFormat


def a_block(frames, audio_format, seed=0):
    full = audio_format.full_scale
    rng = np.random.default_rng(seed)
    samples = rng.integers(-full, full, (frames, audio_format.channels)).astype(audio_format.dtype)
    return AudioBlock(stamp_ns=EPOCH_NS + 123, first_sample=2**40 + 7, samples=samples, xruns=3)


def big_endian(data: bytes) -> bytes:
    store = typestore()
    message = store.deserialize_cdr(data, AUDIO_TYPE)
    return bytes(store.serialize_cdr(message, AUDIO_TYPE, little_endian=False))


@given(
    frame_id=st.text(st.characters(min_codepoint=32, max_codepoint=1000), max_size=20),
    frames=st.integers(0, 40),
    channels=st.integers(1, 5),
    bits=st.sampled_from([16, 24]),
    little=st.booleans(),
)
def test_audio_is_read_as_rosbags_deserialises_it(frame_id, frames, channels, bits, little):
    audio_format = AudioFormat(sample_rate=44100, channels=channels, bits=bits)
    block = a_block(frames, audio_format)
    data = write_audio(block, audio_format, frame_id)
    if not little:
        data = big_endian(data)
    read = read_audio(data)
    slow = typestore().deserialize_cdr(data, AUDIO_TYPE)
    wide = slow.data32 if bits == 24 else slow.data16
    assert np.array_equal(read.block.samples, np.asarray(wide).reshape(-1, channels))
    assert np.array_equal(read.block.samples, block.samples)
    assert read.block.samples.dtype == audio_format.dtype
    assert read.format == audio_format
    assert (read.block.first_sample, read.block.xruns) == (slow.first_sample, slow.xruns)
    assert read.block.stamp_ns == block.stamp_ns == header_stamp_ns(data)
    assert read.frame_id == slow.header.frame_id == frame_id


def test_samples_are_a_view_of_the_message():
    data = write_audio(a_block(441, FORMAT), FORMAT, "tray")
    samples = read_audio(data).block.samples
    assert not samples.flags.owndata
    assert samples.flags.c_contiguous


@given(data=st.binary(max_size=80))
def test_arbitrary_bytes_are_read_or_refused(data):
    for read in (header_stamp_ns, read_audio):
        with contextlib.suppress(EpisodeError):
            read(data)


@given(cut=st.integers(0, 400), flip=st.integers(0, 120), value=st.integers(0, 255))
def test_damaged_audio_is_read_or_refused(cut, flip, value):
    data = bytearray(write_audio(a_block(30, FORMAT), FORMAT, "tray"))
    data[flip] = value
    with contextlib.suppress(EpisodeError):
        read_audio(bytes(data[: len(data) - cut]))


def test_a_message_without_header_is_refused():
    data = serialise("std_msgs/msg/String", data="a rather long text without a header")
    with pytest.raises(EpisodeError, match="expected a header"):
        header_stamp_ns(data)


def test_a_stamp_before_1970_and_after_2038_survives():
    for sec in (-5, 2**31 - 1):
        message = make_header(sec * 10**9 + 7, "")
        data = serialise("geometry_msgs/msg/PointStamped", header=message, point=_point())
        assert header_stamp_ns(data) == sec * 10**9 + 7


def _point():
    return typestore().types["geometry_msgs/msg/Point"](0.0, 0.0, 0.0)


def test_audio_is_serialised_as_rclpy_does():
    pytest.importorskip("rclpy")
    serialization = pytest.importorskip("rclpy.serialization")
    msg = pytest.importorskip("tiltbot.msg")
    for bits, frames in ((16, 441), (16, 440), (24, 33)):
        audio_format = AudioFormat(sample_rate=44100, channels=3, bits=bits)
        block = a_block(frames, audio_format)
        theirs = msg.ContactAudio(
            first_sample=block.first_sample, sample_rate=44100, channels=3, bits=bits, xruns=3
        )
        theirs.header.stamp.sec, theirs.header.stamp.nanosec = divmod(block.stamp_ns, 10**9)
        theirs.header.frame_id = "tray"
        flat = block.samples.reshape(-1).tolist()
        if bits == 16:
            theirs.data16 = flat
        else:
            theirs.data32 = flat
        raw = serialization.serialize_message(theirs)
        ours = write_audio(block, audio_format, "tray")
        assert serialization.deserialize_message(ours, msg.ContactAudio) == theirs
        assert len(ours) == len(raw)
        # rclpy leaves the bytes of padding as they were; all others are the same.
        theirs_again = typestore().deserialize_cdr(raw, AUDIO_TYPE)
        assert ours == bytes(typestore().serialize_cdr(theirs_again, AUDIO_TYPE))
        assert np.array_equal(read_audio(raw).block.samples, block.samples)
