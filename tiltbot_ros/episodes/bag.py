"""An episode's messages as a rosbag2 directory (MCAP)."""

from functools import cache
from operator import itemgetter
from pathlib import Path

from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer

from tiltbot_ros.episodes.facts import ConstantFacts, EpisodeContent
from tiltbot_ros.episodes.topics import RecordedTopic
from tiltbot_ros.episodes.typestore import typestore


def write_bag(
    path: Path, content: EpisodeContent, facts: ConstantFacts, *, compress: bool = False
) -> tuple[int, int]:
    """Write the bag; the directory must not exist.

    Every topic of the facts is in the bag's index, also without messages.
    Messages are sorted by log time, which is the header stamp; a latched
    message or a tilt from before the window is logged at its start, so that
    playing the bag does not begin with a pause of hours.

    Returns:
        Messages and payload bytes written.
    """
    writer = Writer(path, version=9, storage_plugin=StoragePlugin.MCAP)
    if compress:
        writer.set_compression(CompressionMode.STORAGE, CompressionFormat.ZSTD)
    for key, value in facts.to_custom_data().items():
        writer.set_custom_data(key, value)
    with writer:
        entries = []
        for topic in facts.topics:
            definition, digest = message_definition(topic.type)
            connection = writer.add_connection(
                topic.name,
                topic.type,
                msgdef=definition,
                rihs01=digest,
                offered_qos_profiles=[topic.qos()],
            )
            entries += [
                (log_time_ns(topic, message.stamp_ns, content), connection, message.data)
                for message in content.messages.get(topic.name, ())
            ]
        entries.sort(key=itemgetter(0))
        for log_ns, connection, data in entries:
            writer.write(connection, log_ns, data)
    return len(entries), sum(len(data) for _, _, data in entries)


@cache
def message_definition(msgtype: str) -> tuple[str, str]:
    """Return the text and the hash of a message type: making them anew takes a millisecond."""
    definition, _ = typestore().generate_msgdef(msgtype, ros_version=2)
    return definition, typestore().hash_rihs01(msgtype)


def log_time_ns(topic: RecordedTopic, stamp_ns: int, content: EpisodeContent) -> int:
    """Return the log time of a message: its stamp, moved into the window where it may be old."""
    if topic.latched or topic.is_tilt:
        return min(max(stamp_ns, content.start_ns), content.end_ns)
    return stamp_ns
