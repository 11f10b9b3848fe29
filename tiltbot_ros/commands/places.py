"""What a person means by the path of an episode or of a folder of episodes."""

from collections.abc import Iterator
from pathlib import Path

from tiltbot_ros.episodes.catalogue import Listed, each_episode, list_episodes, listed
from tiltbot_ros.episodes.folder import TRASH, is_episode_name
from tiltbot_ros.errors import EpisodeError


def split_episode(path: Path) -> tuple[Path, str]:
    """Return the data folder and the id that the path of an episode means.

    Raises:
        EpisodeError: the path does not end in the id of an episode.
    """
    whole = path.expanduser().resolve()
    if not is_episode_name(whole.name):
        raise EpisodeError(
            f"expected the path of an episode, such as data/ep_000042, got '{path}'{_offer(path)}"
        )
    return whole.parent, whole.name


def episodes_at(path: Path) -> list[Path]:
    """Return the episode at a path, or all episodes of the folder there, by id.

    Raises:
        EpisodeError: there is nothing.
    """
    path = path.expanduser()
    if is_episode_name(path.resolve().name):
        if not path.is_dir():
            raise EpisodeError(f"{path}: expected an episode, found none{_offer(path.parent)}")
        return [path]
    return [entry.path for entry in list_episodes(path)]


def listed_at(path: Path) -> Iterator[Listed]:
    """Yield the episode at a path, or all episodes of the folder there, with their facts.

    Raises:
        EpisodeError: there is nothing.
    """
    path = path.expanduser()
    if is_episode_name(path.resolve().name):
        folder, episode_id = split_episode(path)
        if not path.is_dir():
            raise EpisodeError(f"{path}: expected an episode, found none{_offer(path.parent)}")
        yield listed(folder / episode_id)
    else:
        yield from each_episode(path)


def last_episode(path: Path) -> Path:
    """Return the episode at a path, or the last one of the folder there.

    Raises:
        EpisodeError: there is none.
    """
    found = episodes_at(path)
    if not found:
        raise EpisodeError(f"{path}: expected a folder with episodes, found none in it")
    return found[-1]


def data_folder(folder: Path) -> Path:
    """Return the data folder of a folder that may be its trash."""
    return folder.parent if folder.name == TRASH else folder


def _offer(folder: Path) -> str:
    """Say which episodes there are."""
    if not folder.is_dir():
        return ""
    names = [entry.path.name for entry in list_episodes(folder)]
    if not names:
        return ""
    some = ", ".join(names[:3]) + (f" ... {names[-1]}" if len(names) > 3 else "")
    return f"; there are: {some}"
