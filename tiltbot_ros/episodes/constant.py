"""Read what a bag's `metadata.yaml` says: the constant facts of its session, and the rest."""

import re
from functools import lru_cache
from pathlib import Path

import yaml

from tiltbot_ros.episodes.facts import ConstantFacts
from tiltbot_ros.errors import EpisodeError, TiltbotError

_LARGEST = 1 << 24
"""No metadata is longer; what a file of any size would do to the parser is not tried out [B]."""

_CUSTOM = re.compile(rb"^  custom_data:\n((?:    .*\n|\n)*)", re.MULTILINE)


def read_constant_facts(path: Path) -> ConstantFacts:
    """Return what an episode's `metadata.yaml` says of its session.

    Only its custom data is parsed, and that once for a session: parsing the
    whole file takes longer than reading the bag.

    Args:
        path: directory of the episode.

    Raises:
        EpisodeError: it is missing, or not tiltbot's.
    """
    file, text = _text(path)
    found = _CUSTOM.search(text)
    try:
        return _constant_facts(found[1]) if found else _of_whole(text)
    except EpisodeError as error:
        raise EpisodeError(f"{file}: {error}") from error


def check_metadata(path: Path, *, messages: int) -> None:
    """Look whether the whole of an episode's `metadata.yaml` fits its bag, as ROS 2 will read it.

    Args:
        path: directory of the episode.
        messages: in the bag.

    Raises:
        EpisodeError: it is missing or corrupt, counts other messages, or names other files.
    """
    file, text = _text(path)
    try:
        whole = yaml.load(text, yaml.CBaseLoader)  # noqa: S506 - it makes texts and nothing else
        bag = whole["rosbag2_bagfile_information"]
        counted, named = int(bag["message_count"]), list(bag["relative_file_paths"])
        by_topic = sum(int(t["message_count"]) for t in bag["topics_with_message_count"])
        int(bag["version"])  # the last line
        missing = [name for name in named if not (path / str(name)).is_file()]
    except Exception as error:  # as the parser of YAML raises on corrupt bytes
        raise EpisodeError(
            f"{file}: expected the metadata of a bag: {type(error).__name__}: {error}"
        ) from error
    if {counted, by_topic} != {messages} or missing or not named:
        raise EpisodeError(
            f"{file}: expected {messages} messages in files that are there, got {counted} in all "
            f"and {by_topic} by topic in "
            f"{', '.join(map(str, named)) or 'none'}"
        )


def _text(path: Path) -> tuple[Path, bytes]:
    file = path / "metadata.yaml"
    try:
        with file.open("rb") as stream:
            text = stream.read(_LARGEST + 1)
    except OSError as error:
        raise EpisodeError(f"{file}: cannot be read: {error.strerror}") from error
    if len(text) > _LARGEST:
        raise EpisodeError(f"{file}: expected at most {_LARGEST} bytes, found more")
    return file, text


@lru_cache(maxsize=64)
def _constant_facts(text: bytes) -> ConstantFacts:
    try:
        custom = yaml.load(text, yaml.CBaseLoader)  # noqa: S506 - it makes texts and nothing else
        return ConstantFacts.from_custom_data(dict(custom), Path())
    except TiltbotError:
        raise
    except Exception as error:  # as the parsers of YAML and JSON raise on corrupt bytes
        raise EpisodeError(f"expected the custom data of tiltbot: {error}") from error


def _of_whole(text: bytes) -> ConstantFacts:
    """Read metadata that is laid out otherwise than rosbags does."""
    try:
        whole = yaml.load(text, yaml.CBaseLoader)  # noqa: S506 - as above
        custom = whole["rosbag2_bagfile_information"]["custom_data"]
        return ConstantFacts.from_custom_data(dict(custom), Path())
    except TiltbotError:
        raise
    except Exception as error:  # as above
        raise EpisodeError(f"expected the custom data of tiltbot: {error}") from error
