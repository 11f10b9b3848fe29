from dataclasses import replace

import pytest
import streams
from streams import NS

from tiltbot_ros.episodes.cdr import read_audio, write_audio
from tiltbot_ros.episodes.facts import DropCount
from tiltbot_ros.episodes.moments import keep_moments
from tiltbot_ros.episodes.reader import Episode
from tiltbot_ros.episodes.ring import StampedMessage
from tiltbot_ros.episodes.tilts import read_tilt
from tiltbot_ros.episodes.verdict import judge

VIDEO = "/camera/color/image_raw"


@pytest.fixture(scope="module")
def content(recorded):
    return Episode.open(recorded / "ep_000001").content()


def failed(content, constant=None):
    verdict = judge(content, constant or streams.facts())
    assert verdict.clean == (not verdict.problems)
    return {(check.name, check.topic) for check in verdict.checks if not check.ok}


def with_messages(content, topic, messages):
    return replace(content, messages={**content.messages, topic: tuple(messages)})


def shifted(message, **changes):
    read = read_audio(message.data)
    block = replace(read.block, **changes)
    return StampedMessage(
        stamp_ns=block.stamp_ns, data=write_audio(block, read.format, read.frame_id)
    )


def test_live_and_from_the_bag_the_verdict_is_the_same(recorded):
    for name in ("ep_000001", "ep_000002"):
        episode = Episode.open(recorded / name)
        assert episode.check() == episode.facts.verdict
        assert len(episode.facts.verdict.checks) >= 15


def test_a_clean_episode_has_no_problem(content):
    assert failed(content) == set()


def test_fewer_messages_than_promised_are_flagged(content):
    video = content.messages["/camera/color/image_raw"]
    assert ("count", "/camera/color/image_raw") in failed(
        with_messages(content, "/camera/color/image_raw", video[::2])
    )


def test_more_messages_than_promised_are_flagged(content):
    pose = content.messages["/tray/pose"]
    assert failed(with_messages(content, "/tray/pose", sorted(2 * pose, key=id))) >= {
        ("count", "/tray/pose")
    }


def test_one_gap_is_flagged_though_the_count_is_enough(content):
    pose = content.messages["/tray/pose"]
    assert failed(with_messages(content, "/tray/pose", pose[:100] + pose[108:])) == {
        ("gap", "/tray/pose")
    }


def test_a_stream_that_begins_late_or_ends_early_is_flagged(content):
    video = content.messages["/camera/color/image_raw"]
    found = failed(with_messages(content, "/camera/color/image_raw", video[:-3]))
    assert found >= {("gap", "/camera/color/image_raw"), ("skew", "/camera/color/image_raw")}


def test_one_lost_block_of_sound_is_flagged(content):
    audio = content.messages["/audio"]
    assert failed(with_messages(content, "/audio", audio[:200] + audio[201:])) == {
        ("continuity", "/audio")
    }


def test_an_overrun_is_flagged(content):
    audio = list(content.messages["/audio"])
    audio[300:] = [shifted(m, xruns=1) for m in audio[300:]]
    assert failed(with_messages(content, "/audio", audio)) == {("xruns", "/audio")}


def test_stamps_that_leave_the_sample_count_are_flagged(content):
    audio = list(content.messages["/audio"])
    audio[300:] = [shifted(m, stamp_ns=m.stamp_ns + 15_000_000) for m in audio[300:]]
    assert ("clock", "/audio") in failed(with_messages(content, "/audio", audio))


def test_a_contact_out_of_the_middle_is_flagged(content):
    moved = replace(content.contact, sample=content.contact.sample + 600)
    assert failed(replace(content, contact=moved)) == {("centre", "/audio")}


def test_a_change_of_the_audio_format_is_flagged(content):
    audio = list(content.messages["/audio"])
    read = read_audio(audio[-1].data)
    other = replace(read.format, sample_rate=48000)
    audio[-1] = replace(audio[-1], data=write_audio(read.block, other, "tray"))
    assert ("format", "/audio") in failed(with_messages(content, "/audio", audio))


def test_sound_that_cannot_be_read_is_flagged(content):
    audio = list(content.messages["/audio"])
    audio[5] = replace(audio[5], data=audio[5].data[:40])
    assert ("format", "/audio") in failed(with_messages(content, "/audio", audio))


@pytest.mark.parametrize(
    ("topic", "expected"),
    [
        ("/audio/info", {("latched", "/audio/info")}),
        ("/tilt", {("tilt", "/tilt")}),
        (
            "/tray/pose",
            {("required", "/tray/pose"), ("count", "/tray/pose"), ("gap", "/tray/pose")},
        ),
    ],
)
def test_what_is_missing_is_flagged(content, topic, expected):
    assert failed(with_messages(content, topic, ())) == expected


def test_no_sound_at_all_is_flagged(content):
    assert ("cover", "/audio") in failed(with_messages(content, "/audio", ()))


def test_every_loss_is_flagged(content):
    drop = DropCount(topic="/tray/pose", cause="transport", count=1)
    assert failed(replace(content, drops=(drop,))) == {("loss", "/tray/pose")}


def test_an_unnamed_object_is_flagged(content):
    assert failed(replace(content, object="")) == {("object", "")}


def test_the_window_of_the_settings_is_the_one_checked(content):
    wide = streams.facts(before_s=2.5)
    assert ("centre", "/audio") in failed(content, wide)
    assert content.end_ns - content.start_ns == 4 * NS


@pytest.fixture(scope="module")
def sparse(content):
    """The same episode with the pictures before and after its tilt alone."""
    tilt = read_tilt(content.messages["/tilt"][0].data)
    return replace(content, messages=keep_moments(content.messages, streams.SPARSE_TOPICS, tilt))


def test_two_pictures_are_all_that_a_sparse_stream_promises(sparse):
    constant = streams.facts(streams.SPARSE_TOPICS)
    assert len(sparse.messages[VIDEO]) == 2
    assert failed(sparse, constant) == set()
    names = {check.name for check in judge(sparse, constant).checks if check.topic == VIDEO}
    assert names == {"required", "moments", "before", "after"}


def test_a_sparse_stream_without_pictures_or_with_too_many_is_flagged(content, sparse):
    constant = streams.facts(streams.SPARSE_TOPICS)
    assert failed(with_messages(sparse, VIDEO, ()), constant) == {("required", VIDEO)}
    assert failed(content, constant) >= {("moments", VIDEO), ("before", VIDEO)}


def test_pictures_that_are_far_from_the_tilts_ends_are_flagged(content, sparse):
    constant = streams.facts(streams.SPARSE_TOPICS)
    video = content.messages[VIDEO]
    before, after = sparse.messages[VIDEO]
    late = with_messages(sparse, VIDEO, (video[video.index(before) + 4], after))
    assert failed(late, constant) == {("before", VIDEO)}
    early = with_messages(sparse, VIDEO, (before, video[video.index(after) - 4]))
    assert failed(early, constant) == {("after", VIDEO)}
    assert failed(with_messages(sparse, VIDEO, (before,)), constant) == {("after", VIDEO)}


def test_without_a_tilt_the_windows_ends_are_what_pictures_should_show(content):
    constant = streams.facts(streams.SPARSE_TOPICS)
    untilted = with_messages(content, "/tilt", ())
    kept = replace(untilted, messages=keep_moments(untilted.messages, constant.topics, None))
    assert failed(kept, constant) == {("tilt", "/tilt")}
