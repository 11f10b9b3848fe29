"""What cannot become a row is left out, and named."""

import re
import shutil
from dataclasses import replace

import bags
import pytest
import whole_episodes as rig

from policy_ros.data.episodes import read_constant_facts, read_interaction
from policy_ros.data.store import Store
from tiltbot_ros.episodes.cdr import read_audio, write_audio
from tiltbot_ros.episodes.reader import Episode
from tiltbot_ros.errors import EpisodeError
from tiltbot_ros.sensors.audio import AudioFormat

AUDIO = "audio"


def test_copies_are_taken_once_and_named(data, tmp_path):
    shutil.copytree(data / "ep_000003", data / "ep_000009")
    shutil.copytree(data / "ep_000001", tmp_path / "other" / "ep_000001")
    done = bags.converted(data, tmp_path / "other", out=tmp_path / "store")
    assert (done.added, done.faults) == (6, 0)
    assert [entry.cause for entry in done.left_out] == ["copy", "copy"]
    assert f"a copy of {data}/ep_000003" in bags.reasons(done)[0]


def test_equal_numbers_in_two_folders_are_two_episodes(data, tmp_path):
    bags.record(tmp_path / "other", 1, start=30)
    assert bags.converted(data, tmp_path / "other", out=tmp_path / "store").added == 7


def test_unnamed_flagged_and_tiltless_episodes_are_left_out_by_rule(tmp_path):
    data = tmp_path / "data"
    bags.write(data, bags.wanted(0), bags.wanted(1, object=""), bags.wanted(2, lost_block=3))
    bags.edit_facts(data / "ep_000001", tilt=None)
    done = bags.converted(data, out=tmp_path / "store", clean_only=True)
    assert (done.rows, done.faults) == (0, 0)
    assert [entry.cause for entry in done.left_out] == ["no tilt", "no object", "flagged"]
    assert Store.open(tmp_path / "store").manifest.left_out == done.left_out


def shorten(path):
    whole = bags.bag(path).read_bytes()
    bags.bag(path).write_bytes(whole[: len(whole) // 2])


def shorten_vouched(path):
    whole = bags.bag(path).read_bytes()
    bags.write_bag(path, whole[: len(whole) // 2])


def flip(path):
    whole = bytearray(bags.bag(path).read_bytes())
    whole[len(whole) // 2] ^= 1
    bags.bag(path).write_bytes(bytes(whole))


def spoil(name, text):
    return lambda path: (path / name).write_text(text)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (shorten, r"ep_000002\.mcap: expected \d+ bytes, found \d+: the bag is truncated"),
        (shorten_vouched, r"ep_000002\.mcap: expected an MCAP file"),
        (flip, r"ep_000002\.mcap: the checksum in episode\.json differs"),
        (lambda path: bags.write_bag(path, b""), r"ep_000002\.mcap: expected an MCAP file"),
        (lambda path: bags.bag(path).unlink(), r"ep_000002\.mcap: cannot be read"),
        (lambda path: (path / "metadata.yaml").unlink(), r"metadata\.yaml: cannot be read"),
        (spoil("metadata.yaml", "a: [1"), r"metadata\.yaml: expected the custom data"),
        (
            spoil("metadata.yaml", "  custom_data:\n    tiltbot.rig: [a\n"),
            r"metadata\.yaml: expected the custom data",
        ),
        (spoil("episode.json", "{}"), r"episode\.json: not the facts"),
        (spoil("episode.json", "\x00"), r"episode\.json: not the facts"),
        (lambda path: (path / "episode.json").unlink(), r"episode\.json: cannot be read"),
    ],
)
def test_damaged_episodes_are_named_and_the_others_converted(data, tmp_path, damage, said):
    damage(data / "ep_000002")
    done = bags.converted(data, out=tmp_path / "store")
    assert (done.rows, done.faults) == (5, 1)
    (reason,) = bags.reasons(done)
    assert reason.startswith(str(data / "ep_000002"))
    assert re.search(said, reason), reason


def drop(name):
    return lambda content: bags.changed_messages(content, name, lambda _stamp, _data: None)


def from_half_way(alter):
    """Write the second half of the sound as `alter` makes its blocks."""

    def changed(content):
        seen = iter(range(1000))

        def change(_stamp, data):
            if next(seen) <= 150:
                return data
            block, form = alter(read_audio(data).block)
            return write_audio(block, form, "tray")

        return bags.changed_messages(content, AUDIO, change)

    return changed


def jump(block):
    """Set the clock back by a second."""
    return replace(block, stamp_ns=block.stamp_ns - 1_000_000_000), rig.FORMAT


def restart(block):
    """Let the running index begin anew."""
    return replace(block, first_sample=block.first_sample - 40_000), rig.FORMAT


def mix(block):
    """Say another rate."""
    return block, AudioFormat(sample_rate=48_000, channels=4, bits=16)


def garble(name):
    return lambda content: bags.changed_messages(
        content, name, lambda _stamp, data: data[:20] + b"\xff" * (len(data) - 20)
    )


def far(content):
    return replace(content, contact=replace(content.contact, sample=10**7))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (drop("audio"), "expected sound, got no message"),
        (drop(rig.COLOR), "expected pictures on camera/color/image_raw, got none"),
        (from_half_way(jump), "the clock jumped"),
        (from_half_way(restart), "the device was started anew"),
        (from_half_way(mix), "expected sound of one format, got 44100 Hz.* and 48000 Hz"),
        (bags.at_rate(44_100, channels=2), "expected sound of 4 channels"),
        (garble("audio"), "ContactAudio"),
        (garble("tray/pose"), "unit quaternions"),
        (garble(rig.COLOR), "cannot be read|expected"),
        (far, "expected the contact, frame 10000000, within the sound"),
    ],
)
def test_bags_with_wrong_content_are_named(tmp_path, change, said):
    data = tmp_path / "data"
    bags.record(data, 1)
    path = bags.record_changed(data, change)
    done = bags.converted(data, out=tmp_path / "store")
    assert (done.rows, done.faults) == (1, 1)
    (reason,) = bags.reasons(done)
    assert reason.startswith(str(path))
    assert re.search(said, reason), reason


def test_a_missing_topic_is_named(tmp_path):
    bags.write(tmp_path / "data", bags.wanted(0, without=("audio",)))
    done = bags.converted(tmp_path / "data", out=tmp_path / "store")
    assert "expected the topic audio, the bag has" in bags.reasons(done)[0]


def test_a_topic_of_another_type_is_named(tmp_path):
    def renamed(facts):
        names = {"/audio": "/sound", "/contact": "/audio"}
        topics = [replace(topic, name=names.get(topic.name, topic.name)) for topic in facts.topics]
        return replace(facts, topics=tuple(topics))

    def moved(content):
        messages = dict(content.messages)
        messages["/sound"] = messages.pop("/audio")
        messages["/audio"] = messages.pop("/contact")
        return replace(content, messages=messages)

    bags.record_changed(tmp_path / "data", moved, topics=renamed)
    done = bags.converted(tmp_path / "data", out=tmp_path / "store")
    assert (
        "expected tiltbot/msg/ContactAudio on /audio, got tiltbot/msg/Contact"
        in bags.reasons(done)[0]
    )


def test_a_tilt_beyond_the_stores_greatest_is_left_out(tmp_path):
    bags.record_changed(tmp_path / "data")
    settings = bags.SMALL.model_copy(update={"max_tilt_rad": 0.1})
    done = bags.converted(tmp_path / "data", out=tmp_path / "store", settings=settings)
    assert "expected a tilt of at most max_tilt_rad = 0.1 rad" in bags.reasons(done)[0]


def test_reading_names_the_file_too(data):
    path = data / "ep_000001"
    facts = Episode.open(path).facts
    bags.bag(path).write_bytes(b"")
    with pytest.raises(EpisodeError, match=r"ep_000001\.mcap"):
        read_interaction(path, facts)
    with pytest.raises(EpisodeError, match=r"metadata\.yaml"):
        read_constant_facts(data)
