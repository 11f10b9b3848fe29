"""Bags that another recorder made, as recordings with the topics of our graph."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from policy_ros.data.importers.source import Described, Message
from tiltbot_ros import topics
from tiltbot_ros.episodes.folder import is_episode_name
from tiltbot_ros.episodes.longbag import open_bag
from tiltbot_ros.episodes.topics import RecordedTopic
from tiltbot_ros.errors import FormatError

_OURS = {topic.name: topic for topic in (*topics.RECORDED, *topics.COMPRESSED.values())}


class BagSource:
    """A bag.

    Args:
        path: rosbag2 directory or MCAP file.
        name: tells it from the others of an import.
        names: topic of the bag by the name of ours, such as {"audio": "/mics/raw"}; what is not
            in it is found by its name and type.
        object_name: what was in the tray.
    """

    def __init__(
        self, path: Path, name: str, *, names: Mapping[str, str], object_name: str
    ) -> None:
        self.name = name
        self.paths: tuple[Path, ...] = (path,)
        self._path = path
        self._names = names
        self._object = object_name

    def describe(self) -> Described:
        """Return what is known of it.

        Raises:
            EpisodeError: the bag is missing, truncated or corrupt.
            FormatError: a topic is missing, or has another type.
        """
        with open_bag(self._path) as bag:
            chosen = self._chosen(bag.topics)
        left = sorted(t.name for t in bag.topics if t.name not in chosen)
        remarks = [f"{self._path}: left out the topics {', '.join(left)}"] if left else []
        if f"/{topics.TILT.name}" not in {topic.name for topic in chosen.values()}:
            remarks.append(f"{self._path}: no topic of {topics.TILT.type}: the actions are unknown")
        return Described(
            topics=tuple(chosen.values()),
            objects=((0, self._object),) if self._object else (),
            labels={"bag": self.name},
            remarks=tuple(remarks),
        )

    def messages(self) -> Iterator[Message]:
        """Yield its messages in the order of receipt, under the names of our topics.

        Raises:
            EpisodeError: the bag is corrupt.
            FormatError: as `describe`.
        """
        with open_bag(self._path) as bag:
            chosen = self._chosen(bag.topics)
            for name, receive_ns, data in bag.messages():
                if name in chosen:
                    yield chosen[name].name, receive_ns, data

    def _chosen(self, found: tuple[RecordedTopic, ...]) -> dict[str, RecordedTopic]:
        """Return the topics to take by their names in the bag."""
        by_name = {topic.name: topic for topic in found}
        chosen: dict[str, RecordedTopic] = {}
        for ours, topic in _OURS.items():
            name = self._names.get(ours) or self._guess(topic, found)
            if name is None:
                continue
            if name not in by_name:
                raise FormatError(
                    f"{self._path}: expected the topic {name} for {ours}, found "
                    f"{', '.join(sorted(by_name))}"
                )
            if by_name[name].type != topic.type:
                raise FormatError(
                    f"{self._path}: expected {topic.type} on {name} for {ours}, found "
                    f"{by_name[name].type}"
                )
            chosen[name] = replace(
                by_name[name],
                name=f"/{ours}",
                required=topic is topics.AUDIO,
                latched=topic.latched or by_name[name].latched,
            )
        if f"/{topics.AUDIO.name}" not in {topic.name for topic in chosen.values()}:
            raise FormatError(
                f"{self._path}: expected a topic of {topics.AUDIO.type}, found "
                f"{', '.join(f'{t.name} ({t.type})' for t in found) or 'no topic'}; "
                "--topic audio=/NAME says which it is"
            )
        return chosen

    def _guess(self, topic: topics.Topic, found: tuple[RecordedTopic, ...]) -> str | None:
        fitting = [
            other.name
            for other in found
            if other.type == topic.type
            and f"/{other.name.lstrip('/')}".endswith(f"/{topic.name}")
            and other.name not in self._names.values()
        ]
        if len(fitting) > 1:
            raise FormatError(
                f"{self._path}: expected one topic for {topic.name}, found {', '.join(fitting)}; "
                f"--topic {topic.name}=/NAME says which it is"
            )
        return fitting[0] if fitting else None


def read_names(pairs: tuple[str, ...]) -> dict[str, str]:
    """Return the topics of a bag by the names of ours, from texts such as `audio=/mics/raw`.

    Raises:
        FormatError: a text is none, or names no topic of ours.
    """
    names: dict[str, str] = {}
    for pair in pairs:
        ours, separator, name = pair.partition("=")
        ours = ours.strip().lstrip("/")
        if not separator or ours not in _OURS or not name.strip():
            raise FormatError(
                f"expected a topic as OURS=/BAG/TOPIC with one of {', '.join(_OURS)}, got {pair!r}"
            )
        names[ours] = name.strip()
    return names


def find_bags(where: Path) -> list[tuple[str, Path]]:
    """Return the bags under a folder, or the one bag that it is, with their names.

    Raises:
        FormatError: there is none.
    """
    where = where.resolve()
    if where.is_file() or (where / "metadata.yaml").is_file():
        return [(where.name, where)]
    if not where.is_dir():
        raise FormatError(f"{where}: expected a bag or a folder of bags, found none")
    folders = [path.parent for path in where.rglob("metadata.yaml")]
    alone = [path for path in where.rglob("*.mcap") if path.parent not in folders]
    bags = sorted({*folders, *alone})
    if not bags:
        raise FormatError(f"{where}: expected bags (metadata.yaml or .mcap), found none")
    return [(str(path.relative_to(where)), path) for path in bags]


def is_ours(path: Path) -> bool:
    """Say whether a bag is an episode of this package, which needs no import."""
    return is_episode_name(path.name) and (path / "episode.json").is_file()
