import pytest
import streams
from streams import EPOCH_NS, NS, events

from tiltbot_ros.episodes.detector import HeardContact
from tiltbot_ros.episodes.reader import Episode
from tiltbot_ros.episodes.recorder_settings import RecorderSettings
from tiltbot_ros.errors import ConfigError

VIDEO = "/camera/color/image_raw"


def problems(outcome):
    return " / ".join(outcome.facts.verdict.problems)


def between(topic, start_s, end_s):
    def skip(event):
        return event.topic == topic and start_s <= (event.receive_ns - EPOCH_NS) / NS < end_s

    return skip


def test_each_contact_gets_its_window_of_all_topics(bench):
    bench = bench().feed(events(16.0, (4.0, 5.0, 9.5)))
    one, two = bench.close()
    assert (one.facts.verdict.problems, two.facts.verdict.problems) == ((), ())
    assert (one.facts.object, one.facts.suppressed) == ("mug", 1)
    assert bench.dropped("suppressed") == 1
    episode = Episode.open(one.path)
    assert one.facts.end_ns - one.facts.start_ns == 4 * NS
    for name in ("/camera/color/image_raw", "/tray/pose", "/contact"):
        stamps = [m.stamp_ns for m in episode.messages[name]]
        assert one.facts.start_ns <= stamps[0] <= stamps[-1] <= one.facts.end_ns
    sound = episode.audio()
    assert sound.first_stamp_ns <= one.facts.start_ns
    assert sound.first_stamp_ns + len(sound.samples) * NS // 44100 >= one.facts.end_ns


def test_the_tilt_that_contains_the_contact_is_the_one_recorded(bench):
    tilts = ((0.5, 1.5), (3.0, 5.5), (5.6, 5.9))
    bench = bench().feed(events(10.0, (4.0,), tilts=tilts))
    (one,) = bench.close()
    assert one.facts.tilt.start_ns == EPOCH_NS + 3 * NS
    assert one.facts.verdict.clean


def test_a_tilt_that_ends_long_after_the_window_is_waited_for(bench):
    bench = bench().feed(events(12.0, (4.0,), tilts=((3.5, 10.0),)))
    (one,) = bench.close()
    assert one.facts.tilt.end_ns == EPOCH_NS + 10 * NS


def test_a_contact_after_the_tilt_belongs_to_the_last_one(bench):
    bench = bench().feed(events(14.0, (4.0,), tilts=((0.2, 1.0), (1.5, 3.0))))
    (one,) = bench.close()
    assert one.facts.tilt.start_ns == EPOCH_NS + round(1.5 * NS)


@pytest.mark.parametrize("tilts", [(), ((0.1, 1.0),), ((5.0, 7.0),)])
def test_a_contact_without_a_tilt_is_flagged_in_bounded_time(bench, tilts):
    bench = bench().feed(events(14.0, (4.0,), tilts=tilts))
    assert len(bench.outcomes) + bench.writer.pending == 1, "the wait must end by itself"
    (one,) = bench.close()
    assert one.facts.tilt is None
    assert problems(one) == "/tilt: no tilt explains the contact"


def test_a_stalled_stream_flags_the_episode_and_recovers(bench):
    feed = events(22.0, (4.0, 10.0, 17.0))
    bench = bench().feed(feed, skip=between("/camera/color/image_raw", 9.0, 12.5))
    one, two, three = bench.close()
    assert one.facts.verdict.clean
    assert "/camera/color/image_raw: longest gap" in problems(two)
    assert "messages of 24" in problems(two)
    assert three.facts.verdict.clean


def test_a_stall_is_seen_while_it_lasts(bench):
    feed = events(8.0, ())
    bench = bench().feed(feed, skip=between("/camera/color/image_raw", 5.0, 9.0))
    assert bench.recorder.stalled(bench.now_ns) == ("/camera/color/image_raw",)
    assert bench.recorder.missing(bench.now_ns) == ("/camera/color/image_raw",)


def test_lost_sound_flags_the_episode_by_its_first_sample(bench):
    bench = bench().feed(events(9.0, (4.0,)), skip=between("/audio", 4.5, 4.53))
    (one,) = bench.close()
    assert "/audio: 1323 frames lost in 1 holes" in problems(one)


def test_a_transport_loss_is_counted_and_flags_its_episode_alone(bench):
    feed = events(16.0, (4.0, 10.0))
    bench = bench()
    bench.feed([e for e in feed if e.receive_ns < EPOCH_NS + 5 * NS])
    bench.recorder.on_lost("/tray/pose", 3, bench.now_ns)
    bench.feed([e for e in feed if e.receive_ns >= EPOCH_NS + 5 * NS])
    one, two = bench.close()
    assert "/tray/pose: 3 lost (transport)" in problems(one)
    assert two.facts.verdict.clean
    assert bench.dropped("transport", "/tray/pose") == 3


def test_a_ring_too_small_for_its_stream_is_counted_by_cause(bench):
    bench = bench(settings=RecorderSettings(ring_bytes=1_000_000)).feed(events(9.0, (4.0,)))
    (one,) = bench.close()
    assert bench.dropped("ring_bytes", "/audio") > 0
    assert "lost (ring_bytes)" in problems(one)


def test_the_gate_names_what_is_missing_and_opens(bench):
    bench = bench()
    assert bench.recorder.missing(0) == ("/audio", "/camera/color/image_raw", "/tray/pose")
    feed = events(12.0, (4.0, 9.0))
    bench.feed(feed, skip=between("/camera/color/image_raw", 0.0, 5.0))
    status = bench.recorder.status(bench.now_ns, 7)
    assert (status.ready, status.missing, status.disk_free_bytes) == (True, (), 7)
    (one,) = bench.close()
    assert one.facts.contact.stamp_ns // NS == EPOCH_NS // NS + 9
    assert bench.dropped("not_ready") == 1


def test_a_slow_required_stream_keeps_the_gate_shut(bench):
    bench = bench()
    for i in range(400):
        now_ns = EPOCH_NS + i * NS // 70
        bench.recorder.on_message("/tray/pose", streams.pose(now_ns), now_ns)
    assert "/tray/pose" in bench.recorder.missing(now_ns)
    rate = next(t for t in bench.recorder.status(now_ns, 0).topics if t.topic == "/tray/pose")
    assert rate.rate_hz == pytest.approx(70, abs=1)


def test_no_window_reaches_into_a_pause(bench):
    feed = events(30.0, (4.0, 9.0, 13.0, 20.0, 26.0))
    bench = bench()
    marks = {10.0: bench.recorder.pause, 18.5: bench.recorder.resume}
    for at, then in (*marks.items(), (99.0, None)):
        now_ns = EPOCH_NS + round(at * NS)
        bench.feed([e for e in feed if bench.now_ns < e.receive_ns <= now_ns])
        if then:
            then(now_ns)
    kept = [o.facts.contact.stamp_ns // NS - EPOCH_NS // NS for o in bench.close()]
    assert kept == [4, 26]
    assert bench.dropped("paused") == 3


def test_the_object_is_the_one_of_the_moment_of_contact(bench):
    feed = events(16.0, (4.0, 10.0))
    bench = bench()
    bench.feed([e for e in feed if e.receive_ns < EPOCH_NS + 5 * NS])
    bench.recorder.set_object("ball", bench.now_ns)
    bench.feed([e for e in feed if e.receive_ns >= EPOCH_NS + 5 * NS])
    assert [o.facts.object for o in bench.close()] == ["mug", "ball"]


def test_an_unnamed_object_is_flagged(bench):
    bench = bench()
    bench.recorder.set_object("", 0)
    (one,) = bench.feed(events(8.0, (4.0,))).close()
    assert problems(one) == "no object named"


@pytest.mark.parametrize("jump_s", [-3600.0, -30.0, 86400.0])
def test_a_clock_jump_costs_the_open_windows_and_no_more(bench, jump_s):
    before = events(10.0, (4.0, 9.5))
    after = events(12.0, (5.0,), start_ns=EPOCH_NS + round((10 + jump_s) * NS))
    bench = bench().feed(before)
    bench.feed(after)
    bench.recorder.set_object("mug", bench.now_ns)
    outcomes = bench.close()
    clean = [o.facts for o in outcomes if o.facts.verdict.clean]
    assert [f.contact.stamp_ns // NS for f in clean] == [
        EPOCH_NS // NS + 4,
        EPOCH_NS // NS + round(15 + jump_s),
    ]
    assert bench.dropped("clock_jump") + len(outcomes) == 3


def test_a_malformed_message_is_counted_and_left_out(bench):
    bench = bench()
    bench.recorder.on_message("/tray/pose", b"garbage", EPOCH_NS)
    assert bench.dropped("malformed", "/tray/pose") == 1


def test_an_unknown_topic_is_refused_with_the_known_ones(bench):
    with pytest.raises(ConfigError, match=r"/tray/pose.*got '/nope'"):
        bench().recorder.on_message("/nope", b"", 0)


def test_a_contact_out_of_all_time_is_counted(bench):
    bench = bench().feed(events(5.0, ()))
    for offset_s in (-100, 100):
        stray = HeardContact(
            sample=0,
            stamp_ns=bench.now_ns + offset_s * NS,
            channel=0,
            level=1,
            threshold=0,
            detector="",
        )
        bench.recorder.on_contact(stray, bench.now_ns)
    assert bench.dropped("clock_jump") + bench.dropped("not_ready") == 2


def test_a_ring_shorter_than_a_window_is_refused():
    with pytest.raises(ValueError, match="lengthen the ring"):
        RecorderSettings(ring_s=5.0)


def test_the_last_window_is_finished_when_it_has_ended_and_counted_when_not(bench):
    bench = bench().feed(events(12.0, (4.0, 11.0)))
    assert len(bench.close()) == 1
    assert bench.dropped("ended") == 1


def test_latched_messages_of_long_ago_are_in_every_bag(recorded):
    for name in ("ep_000001", "ep_000002"):
        (info,) = Episode.open(recorded / name).messages["/audio/info"]
        assert info.stamp_ns == EPOCH_NS - 3600 * NS


def test_where_only_moments_are_kept_the_gate_and_the_stall_still_watch_the_stream(bench):
    feed = events(16.0, (4.0, 9.5))
    bench = bench(topics=streams.SPARSE_TOPICS)
    assert bench.recorder.missing(0) == ("/audio", VIDEO, "/tray/pose")
    bench.feed(feed, skip=between(VIDEO, 13.0, 16.0))
    assert bench.recorder.stalled(bench.now_ns) == (VIDEO,)
    one, two = bench.close()
    assert (one.facts.verdict.problems, two.facts.verdict.problems) == ((), ())
    for outcome in (one, two):
        episode = Episode.open(outcome.path)
        stamps = episode.images().stamps_ns
        tilt = episode.tilt()
        assert len(stamps) == 2
        assert stamps[0] <= tilt.start_ns < stamps[0] + NS // 6
        assert stamps[1] - NS // 6 < tilt.end_ns <= stamps[1]
        assert episode.topic("camera/color/image_raw").expected_hz == 0.0
        assert episode.check() == episode.facts.verdict
