"""Write episodes as WebDataset shards: plain tar files of plain files.

Files of one sample share what comes before the first dot of their names
(https://github.com/webdataset/webdataset): `00000042.flac`,
`00000042.before.jpg`, `00000042.after.jpg`, `00000042.tray.npy`,
`00000042.json`.
"""

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field

from policy_ros.data.exporters.groups import Group, GroupEntry, LeftOut
from policy_ros.data.exporters.rows import FIELDS, EpisodeRow, row_of
from policy_ros.data.exporters.selection import Selected
from tiltbot_ros.episodes.folder import sync_directory, sync_file
from tiltbot_ros.episodes.reader import Episode
from tiltbot_ros.episodes.writer import file_crc32
from tiltbot_ros.settings import Settings

_SUFFIXES = {"jpeg": "jpg", "png": "png"}


class WebDatasetSettings(Settings):
    """How shards are written."""

    shard_mb: int = Field(200, ge=1, le=100_000, description="size of a shard, about [MB]")


class WebDatasetFormat:
    """The format; see `groups.Format`.

    Args:
        settings: how it is written.
    """

    name = "webdataset"

    def __init__(self, settings: WebDatasetSettings) -> None:
        self.options = settings.digest()
        self._settings = settings

    def begin(self, first: Selected) -> tuple[int, dict[str, Any]]:
        """Return so many episodes to a shard that it has the size of the settings."""
        row = _row(Episode.open(first.path))
        return max(1, self._settings.shard_mb * 1_000_000 // row.size), {}

    def resume(self, layout: dict[str, Any]) -> None:
        """Take nothing: samples need not be alike."""

    def write_group(self, folder: Path, group: Group) -> GroupEntry:
        """Write one shard."""
        path = folder / f"shard-{group.files():06d}.tar"
        first = len(group.before())
        written: list[dict[str, Any]] = []
        left_out: list[LeftOut] = []
        with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as shard:
            for row in group.read(_row, left_out):
                for name, data in _files(row).items():
                    _add(shard, f"{first + len(written):08d}.{name}", data)
                written.append({"id": row.fields["id"], "shard": path.name})
        if written:
            sync_file(path)
        else:
            path.unlink()
        sync_directory(folder)
        return GroupEntry(number=group.number, episodes=tuple(written), left_out=tuple(left_out))

    def finish(self, folder: Path, entries: tuple[GroupEntry, ...]) -> None:
        """Write the list of shards, and what the fields are."""
        counts: dict[str, int] = {}
        for entry in entries:
            for one in entry.episodes:
                counts[one["shard"]] = counts.get(one["shard"], 0) + 1
        shards = [
            {
                "file": name,
                "samples": count,
                "bytes": (folder / name).stat().st_size,
                "crc32": file_crc32(folder / name),
            }
            for name, count in counts.items()
        ]
        path = folder / "shards.json"
        path.write_text(
            json.dumps({"shards": shards, "fields": FIELDS}, indent=1) + "\n", encoding="utf-8"
        )
        sync_file(path)


def _row(episode: Episode) -> EpisodeRow:
    return row_of(episode, audio="flac")


def _files(row: EpisodeRow) -> dict[str, bytes]:
    """Return the files of a sample by what comes after its key."""
    tray = io.BytesIO()
    seconds = (row.tray_stamps_ns - row.fields["contact_ns"]) / 1e9
    np.save(tray, np.column_stack([seconds, row.tray_rotation]).astype(np.float32))
    return {
        "json": json.dumps(row.fields).encode(),
        "flac": row.audio,
        f"before.{_SUFFIXES[row.before.form]}": row.before.data,
        f"after.{_SUFFIXES[row.after.form]}": row.after.data,
        "tray.npy": tray.getvalue(),
    }


def _add(shard: tarfile.TarFile, name: str, data: bytes) -> None:
    """Add a file without owner or time: the same episodes give the same bytes."""
    member = tarfile.TarInfo(name)
    member.size = len(data)
    shard.addfile(member, io.BytesIO(data))
