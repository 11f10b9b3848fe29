"""All topics that a recorder follows."""

from collections.abc import Iterable, Iterator

from tiltbot_ros.episodes.status import TopicRate
from tiltbot_ros.episodes.topics import RecordedTopic
from tiltbot_ros.episodes.track import TopicTrack
from tiltbot_ros.errors import ConfigError


class Tracks:
    """A track of each recorded topic; iterating gives them in the order of the topics.

    Args:
        topics: what is recorded.
        ring_s, ring_bytes: bounds of each topic's ring.
    """

    def __init__(self, topics: Iterable[RecordedTopic], *, ring_s: float, ring_bytes: int) -> None:
        self._tracks = {
            topic.name: TopicTrack(topic, ring_s=ring_s, ring_bytes=ring_bytes) for topic in topics
        }

    def __iter__(self) -> Iterator[TopicTrack]:
        return iter(self._tracks.values())

    def __getitem__(self, name: str) -> TopicTrack:
        """Return the track of a topic.

        Raises:
            ConfigError: the topic is not among those that are recorded.
        """
        try:
            return self._tracks[name]
        except KeyError:
            raise ConfigError(
                f"expected one of the recorded topics {sorted(self._tracks)}, got {name!r}"
            ) from None

    def missing(self, now_ns: int, *, gate_s: float, gate_fraction: float) -> tuple[str, ...]:
        """Return the required topics that do not flow as promised."""
        return tuple(
            track.topic.name
            for track in self
            if track.topic.required and not track.flows(now_ns, gate_s, gate_fraction)
        )

    def stalled(self, now_ns: int, stall_s: float) -> tuple[str, ...]:
        """Return the streams that did flow and have fallen silent."""
        return tuple(track.topic.name for track in self if track.has_stalled(now_ns, stall_s))

    def have_passed(self, t_ns: int) -> bool:
        """Say whether nothing up to t is to be expected any more on any topic."""
        return all(track.has_passed(t_ns) for track in self)

    def rates(self, now_ns: int) -> tuple[TopicRate, ...]:
        """Return how every topic flows."""
        return tuple(track.rate(now_ns) for track in self)
