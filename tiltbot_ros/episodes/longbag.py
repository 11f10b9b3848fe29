"""Read a bag of any length and origin message by message, as raw bytes."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rosbags.interfaces import (
    Connection,
    ConnectionExtRosbag2,
    MessageDefinitionFormat,
    QosDurability,
)
from rosbags.rosbag2 import Reader
from rosbags.typesys import get_types_from_msg

from tiltbot_ros.episodes.cdr import NS_PER_S
from tiltbot_ros.episodes.mcap_sizes import check_sizes
from tiltbot_ros.episodes.topics import RecordedTopic
from tiltbot_ros.episodes.typestore import AUDIO_TYPE, has_header, typestore
from tiltbot_ros.errors import EpisodeError

_LEAST_RATE_HZ = 1.0


class LongBag:
    """An opened bag.

    Attributes:
        topics: of the bag; those that come at least once a second are held to
            their mean rate in it.
    """

    def __init__(self, reader: Reader, path: Path) -> None:
        self._reader = reader
        self._path = path
        seconds = max(reader.duration / NS_PER_S, 1e-9)
        self.topics = tuple(_recorded(connection, seconds) for connection in reader.connections)

    def messages(self) -> Iterator[tuple[str, int, bytes]]:
        """Yield topic, time of receipt [ns] and bytes of every message.

        Raises:
            EpisodeError: the bag is corrupt from here on.
        """
        messages = self._reader.messages()
        while True:
            try:
                connection, receive_ns, data = next(messages)
            except StopIteration:
                return
            except Exception as error:  # the parsers raise anything on corrupt bytes
                raise EpisodeError(_unreadable(self._path, error)) from error
            yield connection.topic, receive_ns, data


@contextmanager
def open_bag(path: Path) -> Iterator[LongBag]:
    """Open a rosbag2 directory or an MCAP file.

    Types that tiltbot does not know are learnt from the bag.

    Raises:
        EpisodeError: it is missing, truncated or corrupt.
    """
    try:
        for file in sorted(path.glob("*.mcap")) if path.is_dir() else [path]:
            if file.suffix == ".mcap":
                check_sizes(file)
        reader = Reader(path)
        reader.open()
    except Exception as error:  # as above
        raise EpisodeError(_unreadable(path, error)) from error
    try:
        try:
            for connection in reader.connections:
                _learn(connection)
            bag = LongBag(reader, path)
        except EpisodeError:
            raise
        except Exception as error:  # as above
            raise EpisodeError(_unreadable(path, error)) from error
        yield bag
    finally:
        reader.close()


def _learn(connection: Connection) -> None:
    if connection.msgtype in typestore().fielddefs:
        return
    if connection.msgdef.format != MessageDefinitionFormat.MSG:
        raise EpisodeError(
            f"expected a known type or its .msg definition in the bag, got {connection.msgtype!r} "
            f"of topic {connection.topic!r} without one"
        )
    typestore().register(get_types_from_msg(connection.msgdef.data, connection.msgtype))
    has_header.cache_clear()


def _recorded(connection: Connection, seconds: float) -> RecordedTopic:
    profiles = (
        connection.ext.offered_qos_profiles
        if isinstance(connection.ext, ConnectionExtRosbag2)
        else []
    )
    latched = any(qos.durability == QosDurability.TRANSIENT_LOCAL for qos in profiles)
    rate_hz = round(connection.msgcount / seconds, 2)
    regular = not latched and rate_hz >= _LEAST_RATE_HZ
    return RecordedTopic(
        name=connection.topic,
        type=connection.msgtype,
        latched=latched,
        required=connection.msgtype == AUDIO_TYPE,
        expected_hz=rate_hz if regular else 0.0,
        depth=profiles[0].depth if profiles else 10,
    )


def _unreadable(path: Path, error: Exception) -> str:
    told = error if isinstance(error, EpisodeError) else f"{type(error).__name__}: {error}"
    return (
        f"{path}: the bag cannot be read ({told}): if its recorder was "
        "killed, 'ros2 bag reindex' or 'mcap recover' may save it"
    )
