"""What the recorder says, as ROS messages."""

from collections.abc import Iterable

from tiltbot.msg import Contact, DropCount, Episode, RecorderStatus, TopicRate
from tiltbot_ros.episodes import facts as cores
from tiltbot_ros.episodes import status as states
from tiltbot_ros.episodes.recorder_settings import RecorderSettings
from tiltbot_ros.episodes.writer import FinishedEpisode
from tiltbot_ros.nodes.wiring import stamp


def drops_message(drops: Iterable[cores.DropCount]) -> list[DropCount]:
    """Return losses as messages."""
    return [DropCount(topic=drop.topic, cause=drop.cause, count=drop.count) for drop in drops]


def rate_message(rate: states.TopicRate) -> TopicRate:
    """Return the state of a topic as a message."""
    return TopicRate(
        topic=rate.topic,
        type=rate.type,
        required=rate.required,
        rate_hz=rate.rate_hz,
        expected_hz=rate.expected_hz,
        received=rate.received,
        lost=rate.lost,
    )


def status_message(status: states.RecorderStatus) -> RecorderStatus:
    """Return the state of the recorder as a message."""
    message = RecorderStatus(
        ready=status.ready,
        missing=list(status.missing),
        paused=status.paused,
        object=status.object,
        directory=status.directory,
        clean=status.clean,
        flagged=status.flagged,
        discarded=status.discarded,
        last=status.last,
        pending=status.pending,
        ring_bytes=status.ring_bytes,
        disk_free_bytes=status.disk_free_bytes,
        drops=drops_message(status.drops),
        topics=[rate_message(rate) for rate in status.topics],
    )
    message.header.stamp = stamp(status.stamp_ns)
    return message


def episode_message(
    episode: FinishedEpisode, settings: RecorderSettings, *, now_ns: int
) -> Episode:
    """Return a finished episode as a message.

    Args:
        episode: on disk.
        settings: of the recorder that cut it.
        now_ns: the stamp of the message (ROS clock) [ns].
    """
    facts = episode.facts
    contact = Contact(
        sample=facts.contact.sample,
        channel=facts.contact.channel,
        level=facts.contact.level,
        threshold=facts.contact.threshold,
        detector=facts.contact.detector,
    )
    contact.header.stamp = stamp(facts.contact.stamp_ns)
    message = Episode(
        id=facts.id,
        uri=episode.path.resolve().as_uri(),
        object=facts.object,
        contact=contact,
        before_s=settings.before_s,
        after_s=settings.after_s,
        clean=facts.verdict.clean,
        problems=list(facts.verdict.problems),
        messages=facts.messages,
        bytes=facts.bag_bytes,
        drops=drops_message(facts.drops),
    )
    message.header.stamp = stamp(now_ns)
    return message
