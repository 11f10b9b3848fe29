import os
import re
import resource
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import bags
import cv2
import numpy as np
import pytest
import rows
import whole_episodes as rig

from policy_ros.data.episodes import read_constant_facts, read_interaction
from policy_ros.data.making import SampleMaker
from policy_ros.data.manifest import FILE
from policy_ros.data.store import Store
from policy_ros.data.store_settings import StoreSettings
from tiltbot_ros.episodes import catalogue
from tiltbot_ros.episodes.cdr import make_header, read_audio, write_audio
from tiltbot_ros.episodes.moments import before_and_after
from tiltbot_ros.episodes.reader import Episode
from tiltbot_ros.episodes.ring import StampedMessage
from tiltbot_ros.episodes.topics import RecordedTopic
from tiltbot_ros.episodes.typestore import typestore
from tiltbot_ros.errors import EpisodeError, StoreError
from tiltbot_ros.sensors.audio import AudioBlock, AudioFormat
from tiltbot_ros.sensors.image_codec import COLOR_FORMAT, pack_color

AUDIO = "audio"


@pytest.fixture
def data(recorded, tmp_path):
    return bags.copied(recorded, tmp_path / "data")


@pytest.fixture(scope="module")
def converted(recorded, tmp_path_factory):
    out = tmp_path_factory.mktemp("converted") / "store"
    bags.converted(recorded, out=out)
    return Store.open(out)


def reasons(done):
    return [entry.reason for entry in done.left_out]


# What a row holds


def test_a_row_is_what_the_episode_reader_reads(recorded, converted):
    assert len(converted) == 6
    converted.verify()
    for row, path in enumerate(sorted(recorded.glob("ep_*"))):
        episode = Episode.open(path)
        found = converted.sample(row)
        facts = episode.facts
        sound = episode.audio()
        middle = facts.contact.sample - sound.first_sample
        part = sound.samples[max(middle - 88_200, 0) : middle + 88_200]
        expected = SampleMaker(bags.SMALL).front_end.resample(part, 44_100)
        assert np.array_equal(found.audio[:, : expected.shape[1]], expected)
        stamps = episode.image_stamps()
        pair = before_and_after(
            stamps, tilt_start_ns=facts.tilt.start_ns, tilt_end_ns=facts.tilt.end_ns
        )
        pictures = episode.images(only=pair).frames[:, :, 20:140]
        shrunk = [cv2.resize(p, (32, 32), interpolation=cv2.INTER_AREA) for p in pictures]
        assert np.array_equal(found.before, shrunk[0])
        assert np.array_equal(found.after, shrunk[1])
        seen = episode.locations()
        at = {int(s): p[:2] / 0.15 for s, p in zip(seen.stamps_ns, seen.positions, strict=True)}
        assert np.allclose(found.location_before, at[int(stamps[pair[0]])], atol=1e-6)
        assert np.allclose(found.location_after, at[int(stamps[pair[1]])], atol=1e-6)
        tray = episode.tray()
        nearest = np.searchsorted(tray.stamps_ns, found.start_ns + np.arange(400) * 10_000_000)
        measured = tray.rotation_vectors[np.minimum(nearest, len(tray.stamps_ns) - 1), :2]
        assert np.allclose(found.tray, measured, atol=1e-5)
        assert np.allclose(found.action, (facts.tilt.ax, facts.tilt.ay), atol=1e-6)
        assert np.allclose(found.rotation, facts.tilt.rotation[:2], atol=1e-6)
        assert found.object == facts.object
        assert found.contact_ns == facts.contact.stamp_ns
        assert found.start_ns == facts.contact.stamp_ns - 2_000_000_000
        assert (found.contact_channel, found.clean) == (facts.contact.channel, True)
        assert found.provenance.id == path.name
        assert found.provenance.folder == str(recorded)
        assert found.provenance.bag_crc32 == facts.bag_crc32


def test_the_contact_is_in_the_middle_of_the_sound(converted):
    sound = np.abs(converted.sample(0).audio[1].astype(int))
    assert abs(int(np.flatnonzero(sound > 2000)[0]) - 22_050) < 20


def test_objects_have_their_sets(converted):
    assert {entry.name: entry.set for entry in converted.objects} == bags.OBJECTS


def compressed(content):
    """Return the content with its colour pictures as JPEG."""

    def pack(message):
        picture = typestore().deserialize_cdr(message.data, "sensor_msgs/msg/Image")
        pixels = picture.data.reshape(rig.HEIGHT, rig.WIDTH, 3)
        kind = "sensor_msgs/msg/CompressedImage"
        packed = typestore().types[kind](
            header=make_header(message.stamp_ns, "camera_color_optical_frame"),
            format=COLOR_FORMAT,
            data=np.frombuffer(pack_color(pixels, jpeg_quality=90), np.uint8),
        )
        return replace(message, data=bytes(typestore().serialize_cdr(packed, kind)))

    messages = dict(content.messages)
    pictures = messages.pop(f"/{rig.COLOR}")
    messages[f"/{rig.COLOR}/compressed"] = tuple(map(pack, pictures))
    return replace(content, messages=messages)


def with_compressed_topic(facts):
    topics = [
        RecordedTopic(name=f"{topic.name}/compressed", type="sensor_msgs/msg/CompressedImage")
        if topic.name == f"/{rig.COLOR}"
        else topic
        for topic in facts.topics
    ]
    return replace(facts, topics=tuple(topics))


def test_compressed_bags_and_pictures_give_the_same_row_to_jpeg(tmp_path):
    plain = bags.record_changed(tmp_path / "plain")
    packed = bags.record_changed(
        tmp_path / "packed", compressed, topics=with_compressed_topic, compress=True
    )
    assert bags.bag(packed).stat().st_size < bags.bag(plain).stat().st_size
    done = bags.converted(tmp_path / "plain", tmp_path / "packed", out=tmp_path / "store")
    assert (done.added, done.left_out) == (2, ())
    one, other = (Store.open(tmp_path / "store").sample(row) for row in (0, 1))
    assert np.array_equal(one.audio, other.audio)
    assert np.array_equal(one.location_after, other.location_after)
    assert np.abs(one.after.astype(int) - other.after).mean() < 4


def at_rate(rate: int, bits: int = 16, channels: int = 4):
    """Return a change that gives the sound another format, keeping its time."""

    def change(content):
        blocks = [read_audio(m.data).block for m in content.messages["/audio"]]
        whole = np.concatenate([block.samples for block in blocks]).astype(np.float64)
        places = np.arange(len(whole) * rate // 44_100) * 44_100 / rate
        low = np.stack([np.interp(places, np.arange(len(whole)), c) for c in whole.T], axis=1)
        form = AudioFormat(sample_rate=rate, channels=channels, bits=bits)
        samples = (low[:, :channels] * 2 ** (bits - 16)).astype(form.dtype)
        step = rate // 100
        made = [
            StampedMessage(
                stamp_ns=blocks[0].stamp_ns + at * rig.NS // rate,
                data=write_audio(
                    AudioBlock(
                        stamp_ns=blocks[0].stamp_ns + at * rig.NS // rate,
                        first_sample=at,
                        samples=np.ascontiguousarray(samples[at : at + step]),
                        xruns=0,
                    ),
                    form,
                    "tray",
                ),
            )
            for at in range(0, len(samples), step)
        ]
        contact = replace(content.contact, sample=content.contact.sample * rate // 44_100)
        return replace(
            content, contact=contact, messages={**content.messages, "/audio": tuple(made)}
        )

    return change


@pytest.mark.parametrize(("rate", "bits"), [(48_000, 16), (44_100, 24), (32_000, 24)])
def test_other_rates_and_24_bits_become_the_same_sound(tmp_path, rate, bits):
    bags.record_changed(tmp_path / "plain")
    bags.record_changed(tmp_path / "other", at_rate(rate, bits))
    done = bags.converted(tmp_path / "plain", tmp_path / "other", out=tmp_path / "store")
    assert done.left_out == ()
    one, other = (Store.open(tmp_path / "store").sample(row) for row in (0, 1))
    both = np.corrcoef(one.audio[1, 21_000:30_000], other.audio[1, 21_000:30_000])
    assert both[0, 1] > 0.99
    assert 0.9 < other.audio.std() / one.audio.std() < 1.1


def test_lost_sound_is_silence_at_its_place_and_the_row_is_not_clean(tmp_path):
    bags.write(tmp_path / "data", bags.wanted(0), replace(bags.wanted(0), lost_block=300))
    store = tmp_path / "store"
    done = bags.converted(tmp_path / "data", out=store)
    assert done.added == 2
    whole, holed = (Store.open(store).sample(row) for row in (0, 1))
    assert (whole.clean, holed.clean) == (True, False)
    assert holed.provenance.problems
    assert (holed.audio[:, 33_110:33_150] == 0).all()
    assert np.array_equal(holed.audio[:, 34_000:], whole.audio[:, 34_000:])
    catalogue.keep(tmp_path / "data", "ep_000002")
    assert bags.converted(tmp_path / "data", out=store).relabelled == 1
    assert Store.open(store).sample(1).clean


def test_a_rig_without_tray_or_tracker_leaves_them_unknown(tmp_path):
    without = ("tray/pose", "object_location")
    bags.write(tmp_path / "data", bags.wanted(1, without=without))
    assert bags.converted(tmp_path / "data", out=tmp_path / "store").left_out == ()
    found = Store.open(tmp_path / "store").sample(0)
    assert np.isnan(found.tray).all()
    assert np.isnan(found.location_before).all()


def test_topics_may_have_a_namespace(tmp_path):
    bags.write(tmp_path / "data", bags.wanted(1, namespace="/lab/rig_a"))
    assert bags.converted(tmp_path / "data", out=tmp_path / "store").added == 1


def test_clips_hold_the_picture_nearest_to_each_moment(tmp_path, recorded):
    settings = bags.SMALL.model_copy(update={"clip": True})
    bags.converted(recorded, out=tmp_path / "store", settings=settings)
    found = Store.open(tmp_path / "store").sample(0)
    assert found.clip.shape == (24, 32, 32, 3)
    assert any(np.array_equal(found.before, one) for one in found.clip)
    assert any(np.array_equal(found.after, one) for one in found.clip)


def test_a_new_store_takes_the_rigs_greatest_tilt(tmp_path):
    bags.record_changed(tmp_path / "data", topics=lambda facts: replace(facts, max_tilt_rad=0.9))
    bags.converted(tmp_path / "data", out=tmp_path / "store", settings=StoreSettings(seconds=1.0))
    opened = Store.open(tmp_path / "store")
    assert opened.settings.max_tilt_rad == 0.9
    assert np.allclose(opened.sample(0).action, opened.sample(0).rotation / 0.9)


# Up to date


def test_an_unchanged_folder_changes_nothing(data, tmp_path):
    bags.converted(data, out=tmp_path / "store")
    before = (tmp_path / "store" / FILE).read_bytes()
    done = bags.converted(data, out=tmp_path / "store")
    assert (done.rows, done.added, done.relabelled, done.removed) == (6, 0, 0, 0)
    assert (tmp_path / "store" / FILE).read_bytes() == before


def test_a_store_made_in_steps_and_by_two_workers_has_the_same_bytes(data, converted, tmp_path):
    later = tmp_path / "later"
    later.mkdir()
    for number in (5, 6):
        (data / f"ep_{number:06d}").rename(later / f"ep_{number:06d}")
    bags.converted(data, out=tmp_path / "steps")
    for number in (5, 6):
        (later / f"ep_{number:06d}").rename(data / f"ep_{number:06d}")
    assert bags.converted(data, out=tmp_path / "steps").added == 2
    bags.converted(data, out=tmp_path / "parallel", workers=2)
    whole = {
        name: content.replace(
            str(converted.sample(0).provenance.folder).encode(), str(data).encode()
        )
        for name, content in rows.content(converted.path).items()
    }
    assert rows.content(tmp_path / "steps") == whole
    assert rows.content(tmp_path / "parallel") == whole
    assert Store.open(tmp_path / "parallel").hash == converted.hash


def test_relabelled_discarded_and_restored_episodes_are_followed(data, tmp_path):
    store = tmp_path / "store"
    bags.converted(data, out=store)
    catalogue.relabel(data, "ep_000002", object_name="spoon", outcome="slid", labels={"by": "me"})
    catalogue.discard(data, "ep_000004")
    done = bags.converted(data, out=store)
    assert (done.rows, done.relabelled, done.removed) == (5, 1, 1)
    opened = Store.open(store)
    opened.verify()
    second = opened.sample(1)
    assert (second.object, second.provenance.outcome) == ("spoon", "slid")
    assert second.provenance.labels == {"by": "me"}
    assert [told.id for told in opened.provenances()] == [f"ep_{n:06d}" for n in (1, 2, 3, 5, 6)]
    catalogue.restore(data, "ep_000004")
    assert bags.converted(data, out=store).added == 1


def test_a_folder_that_moved_is_recognised(data, tmp_path):
    store = tmp_path / "store"
    bags.converted(data, out=store)
    moved = tmp_path / "moved"
    data.rename(moved)
    done = bags.converted(moved, out=store)
    assert (done.rows, done.added, done.removed) == (6, 0, 0)
    assert Store.open(store).sample(0).provenance.folder == str(moved)
    shutil.rmtree(moved / "ep_000001")
    assert bags.converted(moved, out=store).removed == 1


def test_rows_of_other_folders_stay(data, tmp_path):
    store = tmp_path / "store"
    bags.converted(data, out=store)
    bags.record(tmp_path / "more", 2, start=20)
    done = bags.converted(tmp_path / "more", out=store)
    assert (done.rows, done.added, done.removed) == (8, 2, 0)


# What is left out


def test_copies_are_taken_once_and_named(data, tmp_path):
    shutil.copytree(data / "ep_000003", data / "ep_000009")
    shutil.copytree(data / "ep_000001", tmp_path / "other" / "ep_000001")
    done = bags.converted(data, tmp_path / "other", out=tmp_path / "store")
    assert (done.added, done.faults) == (6, 0)
    assert [entry.cause for entry in done.left_out] == ["copy", "copy"]
    assert f"a copy of {data}/ep_000003" in reasons(done)[0]


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
    (reason,) = reasons(done)
    assert reason.startswith(str(data / "ep_000002"))
    assert re.search(said, reason), reason


def drop(name):
    return lambda content: bags.changed_messages(content, name, lambda _stamp, _data: None)


def jump(content):
    """Set the clock of the sound back by a second, half way."""
    seen = iter(range(1000))

    def change(_stamp, data):
        block = read_audio(data).block
        if next(seen) > 150:
            block = replace(block, stamp_ns=block.stamp_ns - 1_000_000_000)
        return write_audio(block, rig.FORMAT, "tray")

    return bags.changed_messages(content, AUDIO, change)


def restart(content):
    """Let the running index of the sound begin anew, half way."""
    seen = iter(range(1000))

    def change(_stamp, data):
        block = read_audio(data).block
        if next(seen) > 150:
            block = replace(block, first_sample=block.first_sample - 40_000)
        return write_audio(block, rig.FORMAT, "tray")

    return bags.changed_messages(content, AUDIO, change)


def mix(content):
    """Let the second half of the sound be at another rate."""
    seen = iter(range(1000))
    other = AudioFormat(sample_rate=48_000, channels=4, bits=16)

    def change(_stamp, data):
        form = other if next(seen) > 200 else rig.FORMAT
        return write_audio(read_audio(data).block, form, "tray")

    return bags.changed_messages(content, AUDIO, change)


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
        (jump, "the clock jumped"),
        (restart, "the device was started anew"),
        (mix, "expected sound of one format, got 44100 Hz.* and 48000 Hz"),
        (at_rate(44_100, channels=2), "expected sound of 4 channels"),
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
    (reason,) = reasons(done)
    assert reason.startswith(str(path))
    assert re.search(said, reason), reason


def test_a_missing_topic_is_named(tmp_path):
    bags.write(tmp_path / "data", bags.wanted(0, without=("audio",)))
    done = bags.converted(tmp_path / "data", out=tmp_path / "store")
    assert "expected the topic audio, the bag has" in reasons(done)[0]


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
        "expected tiltbot/msg/ContactAudio on /audio, got tiltbot/msg/Contact" in reasons(done)[0]
    )


def test_a_tilt_beyond_the_stores_greatest_is_left_out(tmp_path):
    bags.record_changed(tmp_path / "data")
    settings = bags.SMALL.model_copy(update={"max_tilt_rad": 0.1})
    done = bags.converted(tmp_path / "data", out=tmp_path / "store", settings=settings)
    assert "expected a tilt of at most max_tilt_rad = 0.1 rad" in reasons(done)[0]


def test_a_row_stays_when_its_facts_cannot_be_read_now(data, tmp_path):
    bags.converted(data, out=tmp_path / "store")
    (data / "ep_000002" / "episode.json").write_text("{}")
    done = bags.converted(data, out=tmp_path / "store")
    assert (done.rows, done.removed, done.faults) == (6, 0, 1)


def test_reading_names_the_file_too(data):
    path = data / "ep_000001"
    facts = Episode.open(path).facts
    bags.bag(path).write_bytes(b"")
    with pytest.raises(EpisodeError, match=r"ep_000001\.mcap"):
        read_interaction(path, facts)
    with pytest.raises(EpisodeError, match=r"metadata\.yaml"):
        read_constant_facts(data)


def test_other_settings_and_no_folder_are_refused(data, tmp_path):
    bags.converted(data, out=tmp_path / "store")
    other = bags.SMALL.model_copy(update={"picture_size": 64})
    with pytest.raises(StoreError, match="picture_size 32, now 64"):
        bags.converted(data, out=tmp_path / "store", settings=other)
    with pytest.raises(EpisodeError, match="expected a folder of episodes"):
        bags.converted(tmp_path / "nowhere", out=tmp_path / "store")


# Kills and full disks


def test_what_is_converted_is_kept_on_ctrl_c(data, converted, tmp_path):
    def stop(done, _total):
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bags.converted(data, out=tmp_path / "store", tell=stop)
    assert len(Store.open(tmp_path / "store")) == 5
    assert bags.converted(data, out=tmp_path / "store").added == 1
    assert Store.open(tmp_path / "store").hash == converted.hash


CHILD = """
import os, sys, signal
sys.path[:0] = sys.argv[3:]
from pathlib import Path
import bags, resource
limit = int(os.environ.get("LIMIT", "0"))
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
def tell(done, total):
    if done == int(os.environ.get("KILL", "0")):
        os.kill(os.getpid(), signal.SIGKILL)
bags.converted(Path(sys.argv[1]), out=Path(sys.argv[2]), tell=tell)
"""


def child(data: Path, out: Path, **environment: str) -> subprocess.CompletedProcess:
    paths = [Path(__file__).parent, Path(rig.__file__).parent, Path.cwd()]
    return subprocess.run(
        [sys.executable, "-c", CHILD, data, out, *paths],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )


def test_a_killed_conversion_goes_on_to_the_same_bytes(data, converted, tmp_path):
    out = tmp_path / "store"
    assert child(data, out, KILL="5").returncode == -signal.SIGKILL
    assert len(Store.open(out)) == 4
    assert bags.converted(data, out=out).added == 2
    assert Store.open(out).hash == converted.hash
    assert not list(out.glob("*.partial"))


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE"), reason="needs a limit of file sizes")
def test_a_disk_that_is_full_is_told_and_nothing_finished_is_lost(data, converted, tmp_path):
    out = tmp_path / "store"
    bags.converted(data, out=out, settings=bags.SMALL.model_copy(update={"shard_rows": 2}))
    catalogue.relabel(data, "ep_000001", object_name="spoon")
    before = Store.open(out).hash
    done = child(data, tmp_path / "new", LIMIT="1000000")
    assert done.returncode == 1
    assert "File too large: make room on the disk" in done.stderr
    assert len(Store.open(tmp_path / "new")) == 0
    assert not list((tmp_path / "new").glob("shard_*"))
    assert Store.open(out).hash == before
    assert bags.converted(data, out=tmp_path / "new").added == 6
