import time

import numpy as np
import pytest
import soundfile
import streams
from rosbags.rosbag2 import StoragePlugin, Writer
from streams import EPOCH_NS, NS, events, listdir

from tiltbot_ros.episodes.offline import cut_bag, cut_sound
from tiltbot_ros.episodes.offline_session import CutOptions
from tiltbot_ros.episodes.reader import Episode
from tiltbot_ros.episodes.typestore import typestore
from tiltbot_ros.episodes.writer import WriterSettings
from tiltbot_ros.errors import AudioError, EpisodeError

OPTIONS = CutOptions(object="mug", writer=WriterSettings(disk_floor_bytes=0))


def long_bag(path, feed, topics=streams.TOPICS):
    with Writer(path, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        connections = {
            t.name: writer.add_connection(
                t.name, t.type, typestore=typestore(), offered_qos_profiles=[t.qos()]
            )
            for t in topics
        }
        for event in feed:
            writer.write(connections[event.topic], event.receive_ns, event.data)
    return path


@pytest.fixture(scope="module")
def feed():
    return events(16.0, (4.0, 5.0, 9.5))


def same_episode(one, other):
    a, b = Episode.open(one), Episode.open(other)
    assert dict(a.messages) == dict(b.messages)
    assert a.contact() == b.contact()
    assert (a.facts.start_ns, a.facts.end_ns) == (b.facts.start_ns, b.facts.end_ns)
    assert (a.facts.tilt, a.facts.suppressed) == (b.facts.tilt, b.facts.suppressed)
    assert a.facts.verdict == b.facts.verdict


def test_a_bag_is_cut_into_the_episodes_of_the_live_session(bench, tmp_path, feed):
    live = bench().feed(feed)
    live.close()
    heard = []
    bag = long_bag(tmp_path / "long", feed)
    cut = cut_bag(bag, tmp_path / "cut", OPTIONS, topics=streams.TOPICS, heard=heard.append)
    assert len(cut.outcomes) == len(live.outcomes) == 2
    for one, other in zip(live.outcomes, cut.outcomes, strict=True):
        same_episode(one.path, other.path)
    assert [(c.stamp_ns - EPOCH_NS) / NS for c in heard] == pytest.approx([4, 5, 9.5], abs=0.01)
    assert cut.contacts == tuple(heard)
    assert cut.seconds == pytest.approx(16.0)
    assert sum(d.count for d in cut.drops if d.cause == "suppressed") == 1


def test_without_promises_the_bag_s_own_rates_are_the_measure(tmp_path, feed):
    cut = cut_bag(long_bag(tmp_path / "long", feed), tmp_path / "cut", OPTIONS)
    assert [o.facts.verdict.problems for o in cut.outcomes] == [(), ()]
    rates = {t.name: t.expected_hz for t in Episode.open(cut.outcomes[0].path).constant.topics}
    assert rates["/camera/color/image_raw"] == pytest.approx(6, abs=0.1)
    assert rates["/tilt"] == rates["/audio/info"] == 0


def test_an_mcap_file_alone_will_do(tmp_path, feed):
    bag = long_bag(tmp_path / "long", feed) / "long.mcap"
    assert len(cut_bag(bag, tmp_path / "cut", OPTIONS).outcomes) == 2


def test_a_sound_file_is_cut_into_the_sound_of_the_live_session(bench, tmp_path, feed):
    live = bench().feed(feed)
    live.close()
    path = tmp_path / "long.wav"
    soundfile.write(path, streams.impacts(16.0, (4.0, 5.0, 9.5)), 44100, subtype="PCM_16")
    cut = cut_sound(path, tmp_path / "cut", OPTIONS, start_ns=EPOCH_NS, block_s=0.01)
    assert [o.facts.verdict.problems for o in cut.outcomes] == [(), ()]
    for one, other in zip(live.outcomes, cut.outcomes, strict=True):
        a, b = Episode.open(one.path), Episode.open(other.path)
        assert a.messages["/audio"] == b.messages["/audio"]
        assert a.messages["/contact"] == b.messages["/contact"]
        assert a.contact() == b.contact()


@pytest.mark.parametrize(
    ("suffix", "subtype", "rate", "channels"),
    [("wav", "PCM_24", 192000, 1), ("flac", "PCM_16", 32000, 4), ("flac", "PCM_24", 44100, 2)],
)
def test_other_sound_files_are_cut_exactly(tmp_path, suffix, subtype, rate, channels):
    bits = int(subtype[-2:])
    audio_format = streams.AudioFormat(sample_rate=rate, channels=channels, bits=bits)
    sound = streams.impacts(7.0, (3.0,), audio_format=audio_format)
    path = tmp_path / f"long.{suffix}"
    shift = 8 if bits == 24 else 0
    soundfile.write(path, sound << shift, rate, subtype=subtype)
    (one,) = cut_sound(path, tmp_path / "cut", OPTIONS).outcomes
    read = Episode.open(one.path).audio()
    assert np.array_equal(
        read.samples, sound[read.first_sample : read.first_sample + len(read.samples)]
    )
    assert one.facts.verdict.clean


@pytest.mark.parametrize("suffix", ["wav", "flac"])
def test_a_truncated_sound_file_is_refused(tmp_path, suffix):
    path = tmp_path / f"long.{suffix}"
    soundfile.write(path, streams.impacts(3.0, (2.0,)), 44100)
    path.write_bytes(path.read_bytes()[:-200_000])
    with pytest.raises(AudioError, match="truncated"):
        cut_sound(path, tmp_path / "cut", OPTIONS)


@pytest.mark.parametrize("keep", [0, 5, 10_000, -40])
def test_a_truncated_bag_is_refused_with_its_name(tmp_path, feed, keep):
    bag = long_bag(tmp_path / "long", feed)
    file = bag / "long.mcap"
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.raises(EpisodeError, match="long"):
        cut_bag(bag, tmp_path / "cut", OPTIONS)


def test_a_bag_damaged_in_its_middle_keeps_what_was_cut_before(tmp_path, feed):
    bag = long_bag(tmp_path / "long", feed)
    file = bag / "long.mcap"
    data = bytearray(file.read_bytes())
    middle = int(len(data) * 0.8)
    data[middle : middle + 2_000_000] = bytes(len(data[middle : middle + 2_000_000]) or 0)
    tail = file.read_bytes()[-20_000:]
    data[-20_000:] = tail
    file.write_bytes(data)
    with pytest.raises(EpisodeError):
        cut_bag(bag, tmp_path / "cut", OPTIONS)
    assert "ep_000001" in listdir(tmp_path / "cut")
    assert Episode.open(tmp_path / "cut" / "ep_000001").check().clean


def test_a_bag_without_sound_is_refused(tmp_path):
    bag = long_bag(tmp_path / "long", [], topics=streams.TOPICS[2:])
    with pytest.raises(EpisodeError, match=r"expected one topic of tiltbot/msg/ContactAudio"):
        cut_bag(bag, tmp_path / "cut", OPTIONS)


def test_no_bag_is_refused(tmp_path):
    with pytest.raises(EpisodeError, match="nowhere"):
        cut_bag(tmp_path / "nowhere", tmp_path / "cut", OPTIONS)


def test_a_sound_file_is_cut_much_faster_than_it_lasts(tmp_path):
    path = tmp_path / "long.wav"
    soundfile.write(path, streams.impacts(60.0, (20.0, 40.0)), 44100, subtype="PCM_16")
    begin = time.process_time()
    cut = cut_sound(path, tmp_path / "cut", OPTIONS)
    assert 60 / (time.process_time() - begin) > 60
    assert len(cut.outcomes) == 2
