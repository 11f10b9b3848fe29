"""Recordings that are one interaction each: no segmentation, one episode a recording."""

import time
from collections.abc import Iterable
from pathlib import Path

from policy_ros.data.importers.source import Described, Message
from tiltbot_ros.episodes.cdr import NS_PER_S, header_stamp_ns, read_audio
from tiltbot_ros.episodes.contacts import read_contact, write_contact
from tiltbot_ros.episodes.detector import ContactDetector, DetectorSettings, HeardContact
from tiltbot_ros.episodes.facts import ConstantFacts, EpisodeContent, software_version
from tiltbot_ros.episodes.folder import DataFolder
from tiltbot_ros.episodes.offline_session import Cut, CutOptions
from tiltbot_ros.episodes.ring import StampedMessage
from tiltbot_ros.episodes.threshold import ThresholdDetector, ThresholdSettings
from tiltbot_ros.episodes.tilts import containing_tilt, preceding_tilt
from tiltbot_ros.episodes.topics import RecordedTopic
from tiltbot_ros.episodes.typestore import CONTACT_TYPE, has_header
from tiltbot_ros.episodes.writer import EpisodeWriter
from tiltbot_ros.errors import EpisodeError

_CONTACT_TOPIC = "/contact"


def take_whole(
    messages: Iterable[Message],
    described: Described,
    out: Path,
    options: CutOptions,
    *,
    name: str,
    told: bool,
) -> Cut:
    """Write a recording as one episode.

    Its contact is the first that the recording tells, or the loudest that is
    heard in it. Messages further from it than the window reaches are left out.

    Args:
        messages: of the recording.
        described: what is known of it.
        out: data folder for the episode.
        options: how contacts are heard, how long a window is.
        name: what errors call it.
        told: take the contact of its contact topic.

    Raises:
        EpisodeError: there is no sound or no contact, or a message is corrupt.
        RecordingError: the data folder cannot be used.
    """
    topics = (
        *(topic for topic in described.topics if topic.type != CONTACT_TYPE),
        RecordedTopic(name=_CONTACT_TOPIC, type=CONTACT_TYPE),
    )
    found: dict[str, list[StampedMessage]] = {topic.name: [] for topic in topics}
    stamped = {topic.name: has_header(topic.type) for topic in topics}
    for topic, receive_ns, data in messages:
        if topic in found:
            stamp_ns = header_stamp_ns(data) if stamped[topic] else receive_ns
            found[topic].append(StampedMessage(stamp_ns=stamp_ns, data=data))
    for stream in found.values():
        stream.sort(key=lambda message: message.stamp_ns)
    contact, seconds = _contact(found, topics, options.detector, name, told=told)
    recorder = options.recorder
    sound = next(found[topic.name] for topic in topics if topic.is_audio)
    start_ns = max(contact.stamp_ns - round(recorder.before_s * NS_PER_S), sound[0].stamp_ns)
    end_ns = min(contact.stamp_ns + round(recorder.after_s * NS_PER_S), _end_ns(sound[-1]))
    content = EpisodeContent(
        contact=contact,
        start_ns=start_ns,
        end_ns=end_ns,
        suppressed=0,
        object=options.object or _object_at(described.objects, contact.stamp_ns),
        messages={
            topic.name: _within(
                topic,
                found[topic.name],
                (start_ns, end_ns),
                contact.stamp_ns,
                round(recorder.tilt_lookback_s * NS_PER_S),
            )
            for topic in topics
        },
        drops=(),
    )
    facts = ConstantFacts(
        rig=options.rig,
        software_version=software_version(),
        detector=options.detector.digest(),
        detector_settings=options.detector.model_dump_json(),
        before_s=recorder.before_s,
        after_s=recorder.after_s,
        policy=recorder.policy,
        max_tilt_rad=options.max_tilt_rad,
        topics=topics,
        limits=options.limits,
    )
    folder = DataFolder(out)
    try:
        writer = EpisodeWriter(folder, facts, options.writer, time.time_ns, wait_when_full=True)
        writer.submit(content)
        outcomes = tuple(writer.close())
    finally:
        folder.close()
    return Cut(contacts=(contact,), outcomes=outcomes, drops=(), seconds=seconds)


def _contact(
    found: dict[str, list[StampedMessage]],
    topics: tuple[RecordedTopic, ...],
    settings: DetectorSettings | ThresholdSettings,
    name: str,
    *,
    told: bool,
) -> tuple[HeardContact, float]:
    sound = [message for topic in topics if topic.is_audio for message in found[topic.name]]
    if not sound:
        raise EpisodeError(f"{name}: expected sound, found none")
    blocks = [read_audio(message.data) for message in sound]
    audio_format = blocks[0].format
    if any(block.format != audio_format for block in blocks):
        raise EpisodeError(f"{name}: expected {audio_format} to the end, the sound changes")
    seconds = sum(len(block.block.samples) for block in blocks) / audio_format.sample_rate
    if told:
        if not found[_CONTACT_TOPIC]:
            raise EpisodeError(f"{name}: expected a contact on its contact topic, found none")
        return read_contact(found[_CONTACT_TOPIC][0].data), seconds
    detector = (
        ThresholdDetector(settings, audio_format)
        if isinstance(settings, ThresholdSettings)
        else ContactDetector(settings, audio_format)
    )
    heard = [contact for block in blocks for contact in detector.process(block.block)]
    heard += detector.flush()
    if not heard:
        raise EpisodeError(
            f"{name}: expected a contact in its {seconds:.1f} s of sound, heard none: if there is "
            "one, tell it (contact_s in the table of actions, a contact topic in the bag)"
        )
    loudest = max(heard, key=lambda contact: contact.level)
    found[_CONTACT_TOPIC] = [
        StampedMessage(
            stamp_ns=loudest.stamp_ns, data=write_contact(loudest, f"mic_{loudest.channel}")
        )
    ]
    return loudest, seconds


def _within(
    topic: RecordedTopic,
    messages: list[StampedMessage],
    window: tuple[int, int],
    contact_ns: int,
    lookback_ns: int,
) -> tuple[StampedMessage, ...]:
    """Return what a recorder would have kept of a stream."""
    start_ns, end_ns = window
    if topic.latched:
        return tuple(message for message in messages if message.stamp_ns <= end_ns)[-1:]
    if topic.is_tilt:
        tilt = containing_tilt(messages, contact_ns)
        tilt = tilt or preceding_tilt(messages, contact_ns, lookback_ns)
        return () if tilt is None else (tilt,)
    if topic.is_audio:
        return tuple(m for m in messages if m.stamp_ns <= end_ns and _end_ns(m) > start_ns)
    return tuple(m for m in messages if start_ns <= m.stamp_ns <= end_ns)


def _end_ns(message: StampedMessage) -> int:
    sound = read_audio(message.data)
    return message.stamp_ns + len(sound.block.samples) * NS_PER_S // sound.format.sample_rate


def _object_at(objects: tuple[tuple[int, str], ...], t_ns: int) -> str:
    earlier = [name for since_ns, name in objects if since_ns <= t_ns]
    return earlier[-1] if earlier else ""
