"""The verdict: is an episode what it should be? The same live and from the bag."""

from collections.abc import Iterable, Iterator

import numpy as np

from tiltbot_ros.episodes.cdr import NS_PER_S, AudioMessage, read_audio
from tiltbot_ros.episodes.facts import Check, ConstantFacts, EpisodeContent, TiltAction, Verdict
from tiltbot_ros.episodes.tilts import read_tilt
from tiltbot_ros.episodes.topics import RecordedTopic
from tiltbot_ros.errors import EpisodeError


def judge(content: EpisodeContent, facts: ConstantFacts) -> Verdict:
    """Check an episode against what its rig promised.

    Args:
        content: the episode, from the rings or from its bag.
        facts: topics and limits it is held to.
    """
    checks: list[Check] = []
    for topic in facts.topics:
        checks += _presence(content, topic)
        if topic.expected_hz > 0 and not topic.latched:
            checks += _regularity(content, topic, facts)
        if topic.moments_hz > 0:
            checks += _moments(content, topic, facts)
        if topic.is_audio:
            checks += _audio(content, topic, facts)
    checks += _skew(content, facts)
    checks += _losses(content)
    checks.append(_named(content.object))
    return verdict_of(checks)


def verdict_of(checks: Iterable[Check]) -> Verdict:
    """Sum checks up."""
    kept = tuple(checks)
    problems = tuple(
        f"{check.topic}: {check.text}" if check.topic else check.text
        for check in kept
        if not check.ok
    )
    return Verdict(clean=not problems, problems=problems, checks=kept)


def renamed(verdict: Verdict, object_name: str) -> Verdict:
    """Return the verdict on the same episode with another object's name."""
    return verdict_of(
        _named(object_name) if check.name == "object" else check for check in verdict.checks
    )


def _named(object_name: str) -> Check:
    named = object_name != ""
    return Check(
        name="object",
        topic="",
        ok=named,
        value=float(named),
        limit=1.0,
        text=f"object {object_name!r}" if named else "no object named",
    )


def _presence(content: EpisodeContent, topic: RecordedTopic) -> Iterator[Check]:
    """Latched topics, required topics and the tilt must be there."""
    count = len(content.messages.get(topic.name, ()))
    if topic.is_tilt:
        yield Check(
            name="tilt",
            topic=topic.name,
            ok=count == 1,
            value=count,
            limit=1,
            text="the tilt that caused the contact" if count else "no tilt explains the contact",
        )
    elif topic.latched or topic.required:
        yield Check(
            name="latched" if topic.latched else "required",
            topic=topic.name,
            ok=count > 0,
            value=count,
            limit=1,
            text=f"{count} messages" if count else "no message",
        )


def _regularity(
    content: EpisodeContent, topic: RecordedTopic, facts: ConstantFacts
) -> Iterator[Check]:
    """Counts against the promise, and the longest gap, the window's edges included."""
    limits = facts.limits
    messages = content.messages.get(topic.name, ())
    expected = topic.expected_hz * (content.end_ns - content.start_ns) / NS_PER_S
    least = int(limits.count_fraction * expected - 1)
    most = limits.count_excess * expected + 2
    yield Check(
        name="count",
        topic=topic.name,
        ok=least <= len(messages) <= most,
        value=len(messages),
        limit=expected,
        text=f"{len(messages)} messages of {expected:.0f}",
    )
    stamps = np.array(
        [content.start_ns, *(message.stamp_ns for message in messages), content.end_ns], np.int64
    )
    stamps = np.clip(stamps, content.start_ns, content.end_ns)
    longest = float(np.diff(stamps).max()) / NS_PER_S
    limit = max(limits.gap_s, limits.gap_periods / topic.expected_hz)
    yield Check(
        name="gap",
        topic=topic.name,
        ok=longest <= limit,
        value=longest,
        limit=limit,
        text=f"longest gap {longest * 1e3:.1f} ms (limit {limit * 1e3:.1f} ms)",
    )


def _moments(
    content: EpisodeContent, topic: RecordedTopic, facts: ConstantFacts
) -> Iterator[Check]:
    """Of a stream of which only two moments are kept: both are there, where they should be."""
    messages = content.messages.get(topic.name, ())
    if not messages:  # which is the finding of `required`
        return
    yield _check(
        "moments",
        topic,
        value=len(messages),
        limit=2,
        text=f"{len(messages)} messages, before and after the tilt",
    )
    limits = facts.limits
    limit = max(limits.gap_s, limits.gap_periods / topic.moments_hz)
    tilt = _action(content, facts)
    start_ns, end_ns = content.start_ns, content.end_ns
    # The last message before the tilt, or the window's first; and the same at its end.
    wanted = (
        start_ns if tilt is None else min(max(tilt.start_ns, start_ns), end_ns),
        end_ns if tilt is None else min(max(tilt.end_ns, start_ns), end_ns),
    )
    found = (messages[0].stamp_ns, messages[-1].stamp_ns)
    for name, at_ns, wanted_ns in zip(("before", "after"), found, wanted, strict=True):
        off = abs(at_ns - wanted_ns) / NS_PER_S
        yield Check(
            name=name,
            topic=topic.name,
            ok=off <= limit,
            value=off,
            limit=limit,
            text=f"the one {name} the tilt is {off * 1e3:.0f} ms off (limit {limit * 1e3:.0f} ms)",
        )


def _action(content: EpisodeContent, facts: ConstantFacts) -> TiltAction | None:
    for topic in facts.topics:
        if topic.is_tilt and content.messages.get(topic.name):
            return read_tilt(content.messages[topic.name][0].data)
    return None


def _audio(content: EpisodeContent, topic: RecordedTopic, facts: ConstantFacts) -> Iterator[Check]:
    """Continuity by `first_sample`, overruns, clock, cover of the window, place of the contact."""
    try:
        blocks = [read_audio(m.data) for m in content.messages.get(topic.name, ())]
    except EpisodeError as error:
        yield _check("format", topic, value=1, limit=0, text=str(error))
        return
    if not blocks:
        yield _check("cover", topic, value=1, limit=0, text="no sound")
        return
    formats = {block.format for block in blocks}
    yield _check(
        "format", topic, value=len(formats) - 1, limit=0, text=f"{len(formats)} audio formats"
    )
    rate = blocks[0].format.sample_rate
    first = np.array([b.block.first_sample for b in blocks], np.int64)
    frames = np.array([len(b.block.samples) for b in blocks], np.int64)
    stamps = np.array([b.block.stamp_ns for b in blocks], np.int64)
    steps = first[1:] - first[:-1] - frames[:-1]
    missing = int(np.abs(steps).sum())
    holes = np.count_nonzero(steps)
    yield _check(
        "continuity", topic, value=missing, limit=0, text=f"{missing} frames lost in {holes} holes"
    )
    xruns = blocks[-1].block.xruns - blocks[0].block.xruns
    yield _check("xruns", topic, value=abs(xruns), limit=0, text=f"{xruns} overruns")
    predicted = stamps[0] + (first - first[0]) * (NS_PER_S / rate)
    drift = float(np.abs(stamps - predicted).max()) / NS_PER_S
    yield _check(
        "clock",
        topic,
        value=drift,
        limit=facts.limits.clock_s,
        text=f"stamps and counted samples part by {drift * 1e3:.2f} ms",
    )
    block_s = float(frames.max()) / rate
    short = max(int(stamps[0]) - content.start_ns, content.end_ns - _end_ns(blocks[-1])) / NS_PER_S
    yield _check(
        "cover",
        topic,
        value=max(short, 0.0),
        limit=block_s,
        text=f"{max(short, 0.0) * 1e3:.1f} ms of the window without sound at its edges",
    )
    holder = max(int(np.searchsorted(first, content.contact.sample, "right")) - 1, 0)
    frames_in = content.contact.sample - int(first[holder])
    heard_ns = int(stamps[holder]) + frames_in * NS_PER_S / rate
    off = abs(heard_ns - content.start_ns - facts.before_s * NS_PER_S) / NS_PER_S
    yield _check(
        "centre",
        topic,
        value=off,
        limit=block_s,
        text=f"the contact's frame is {off * 1e3:.2f} ms off its place in the window",
    )


def _skew(content: EpisodeContent, facts: ConstantFacts) -> Iterator[Check]:
    """Sound and pictures must begin and end together."""
    audio = next((t for t in facts.topics if t.is_audio and content.messages.get(t.name)), None)
    if audio is None:
        return
    sound = content.messages[audio.name]
    for topic in facts.topics:
        video = content.messages.get(topic.name, ())
        if topic.is_video and video and topic.expected_hz > 0:
            skew = (
                max(
                    abs(video[0].stamp_ns - sound[0].stamp_ns),
                    abs(video[-1].stamp_ns - sound[-1].stamp_ns),
                )
                / NS_PER_S
            )
            yield _check(
                "skew",
                topic,
                value=skew,
                limit=facts.limits.skew_s + 1.5 / topic.expected_hz,
                text=f"begins or ends {skew * 1e3:.0f} ms apart from the sound",
            )


def _losses(content: EpisodeContent) -> Iterator[Check]:
    for drop in content.drops:
        yield Check(
            name="loss",
            topic=drop.topic,
            ok=drop.count == 0,
            value=drop.count,
            limit=0,
            text=f"{drop.count} lost ({drop.cause})",
        )


def _check(name: str, topic: RecordedTopic, *, value: float, limit: float, text: str) -> Check:
    return Check(
        name=name,
        topic=topic.name,
        ok=value <= limit,
        value=float(value),
        limit=float(limit),
        text=text,
    )


def _end_ns(message: AudioMessage) -> int:
    block = message.block
    return block.stamp_ns + len(block.samples) * NS_PER_S // message.format.sample_rate
