"""Write episodes as plain Parquet tables: one row an episode, one row group a row."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field

from policy_ros.data.exporters.groups import Group, GroupEntry, LeftOut
from policy_ros.data.exporters.rows import FIELDS, AudioForm, EpisodeRow, row_of
from policy_ros.data.exporters.selection import Selected
from tiltbot_ros.episodes.folder import sync_directory, sync_file
from tiltbot_ros.episodes.reader import Episode
from tiltbot_ros.settings import Settings

_TEXTS = {
    "id", "folder", "rig", "object", "outcome", "labels", "problems", "audio_format",
    "before_format", "after_format",
}  # fmt: skip
_FLOATS = ("action_", "rotation_", "contact_level", "location_")

SCHEMA = pa.schema(
    [
        *(
            pa.field(
                name,
                pa.string()
                if name in _TEXTS
                else pa.bool_()
                if name == "clean"
                else pa.float64()
                if name.startswith(_FLOATS)
                else pa.int64(),
                metadata={"description": text},
            )
            for name, text in FIELDS.items()
        ),
        pa.field("audio", pa.binary(), metadata={"description": "see audio_format"}),
        pa.field("before", pa.binary(), metadata={"description": "picture before the tilt"}),
        pa.field("after", pa.binary(), metadata={"description": "picture after the tilt"}),
        pa.field("tray_ns", pa.list_(pa.int64()), metadata={"description": "stamps [ns]"}),
        pa.field(
            "tray_x",
            pa.list_(pa.float32()),
            metadata={"description": "x of the tray's measured rotation vector [rad]"},
        ),
        pa.field(
            "tray_y",
            pa.list_(pa.float32()),
            metadata={"description": "y of the tray's measured rotation vector [rad]"},
        ),
    ]
)


class ParquetSettings(Settings):
    """How Parquet tables are written."""

    audio: AudioForm = Field("flac", description="flac, or raw: interleaved integers")
    file_mb: int = Field(200, ge=1, le=100_000, description="size of a file, about [MB]")


class ParquetFormat:
    """The format; see `groups.Format`.

    Args:
        settings: how it is written.
    """

    name = "parquet"

    def __init__(self, settings: ParquetSettings) -> None:
        self.options = settings.digest()
        self._settings = settings

    def begin(self, first: Selected) -> tuple[int, dict[str, Any]]:
        """Return so many episodes to a file that it has the size of the settings."""
        row = self._row(Episode.open(first.path))
        return max(1, self._settings.file_mb * 1_000_000 // row.size), {}

    def resume(self, layout: dict[str, Any]) -> None:
        """Take nothing: rows need not be alike."""

    def write_group(self, folder: Path, group: Group) -> GroupEntry:
        """Write one file."""
        path = folder / f"episodes-{group.files():05d}.parquet"
        written: list[dict[str, Any]] = []
        left_out: list[LeftOut] = []
        with pq.ParquetWriter(path, SCHEMA, compression="none", use_dictionary=False) as writer:
            for row in group.read(self._row, left_out):
                writer.write_table(pa.Table.from_pylist([_values(row)], SCHEMA))
                written.append({"id": row.fields["id"]})
        if written:
            sync_file(path)
        else:
            path.unlink()
        sync_directory(folder)
        return GroupEntry(number=group.number, episodes=tuple(written), left_out=tuple(left_out))

    def finish(
        self,
        folder: Path,
        entries: tuple[GroupEntry, ...],  # noqa: ARG002 - the protocol's
    ) -> None:
        """Write what the columns are."""
        columns = {field.name: field.metadata[b"description"].decode() for field in SCHEMA}
        # Readers of a folder of tables pass over names with an underscore.
        path = folder / "_columns.json"
        path.write_text(json.dumps(columns, indent=1) + "\n", encoding="utf-8")
        sync_file(path)

    def _row(self, episode: Episode) -> EpisodeRow:
        return row_of(episode, audio=self._settings.audio)


def _values(row: EpisodeRow) -> dict[str, Any]:
    return {
        **row.fields,
        "audio": row.audio,
        "before": row.before.data,
        "after": row.after.data,
        "tray_ns": row.tray_stamps_ns,
        "tray_x": row.tray_rotation[:, 0],
        "tray_y": row.tray_rotation[:, 1],
    }
