"""The trash of a data folder: what is discarded can come back."""

from pathlib import Path

from tiltbot_ros.episodes.folder import TRASH, sync_directory
from tiltbot_ros.errors import EpisodeError


def to_trash(path: Path) -> Path:
    """Move what a data folder holds to its trash, durably; return where it is.

    Raises:
        EpisodeError: the trash has one of that name.
    """
    trash = path.parent / TRASH
    trash.mkdir(exist_ok=True)
    return _move(path, trash / path.name)


def from_trash(path: Path) -> Path:
    """Move what the trash holds back to its data folder, durably; return where it is.

    Raises:
        EpisodeError: the folder has one of that name.
    """
    return _move(path, path.parent.parent / path.name)


def _move(source: Path, target: Path) -> Path:
    if target.exists():
        raise EpisodeError(f"expected no {target}, but there is one: move it away")
    source.rename(target)
    sync_directory(target.parent)
    sync_directory(source.parent)
    return target
