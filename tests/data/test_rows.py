"""What a row of a training store holds."""

from dataclasses import replace

import bags
import cv2
import numpy as np
import pytest
import whole_episodes as rig

from policy_ros.data.making import SampleMaker
from policy_ros.data.store import Store
from policy_ros.data.store_settings import StoreSettings
from tiltbot_ros.episodes import catalogue
from tiltbot_ros.episodes.cdr import make_header
from tiltbot_ros.episodes.moments import before_and_after
from tiltbot_ros.episodes.reader import Episode
from tiltbot_ros.episodes.topics import RecordedTopic
from tiltbot_ros.episodes.typestore import typestore
from tiltbot_ros.sensors.image_codec import COLOR_FORMAT, pack_color


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


@pytest.mark.parametrize(("rate", "bits"), [(48_000, 16), (44_100, 24), (32_000, 24)])
def test_other_rates_and_24_bits_become_the_same_sound(tmp_path, rate, bits):
    bags.record_changed(tmp_path / "plain")
    bags.record_changed(tmp_path / "other", bags.at_rate(rate, bits))
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
