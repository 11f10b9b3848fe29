"""Write episodes as a LeRobot dataset, codebase version v3.0.

Files, columns and their types follow the published code that reads them
(https://github.com/huggingface/lerobot, src/lerobot/datasets);
`lerobot_schema` checks the result against a description of its own.
"""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field

from policy_ros.data.exporters import lerobot_stats
from policy_ros.data.exporters.groups import Group, GroupEntry, LeftOut
from policy_ros.data.exporters.lerobot_frames import (
    CAMERA,
    LeRobotFrames,
    LeRobotLayout,
    features_of,
    frames_of,
    layout_of,
)
from policy_ros.data.exporters.selection import Selected
from policy_ros.data.exporters.video import CANONICAL, KEY_EVERY, PIXELS, Codec, VideoFile
from tiltbot_ros.episodes.folder import sync_directory, sync_file, write_durably
from tiltbot_ros.episodes.reader import Episode
from tiltbot_ros.settings import Settings

VERSION = "v3.0"
CHUNK_FILES = 1000
DATA_MB, VIDEO_MB = 100, 200
DATA_PATH = "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
VIDEO_PATH = "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4"
EPISODES_PATH = "meta/episodes/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"

_DEFAULTS = {
    "timestamp": "float32",
    "frame_index": "int64",
    "episode_index": "int64",
    "index": "int64",
    "task_index": "int64",
}
_EPISODES_IN_FILE = 2000
_GROUP_MB = 80


class LeRobotSettings(Settings):
    """How a LeRobot dataset is written."""

    audio_hz: int = Field(
        0, ge=0, le=192_000, description="rate of the sound; 0: as it was recorded [Hz]"
    )
    codec: Codec = Field("h264", description="of the videos")
    crf: int = Field(20, ge=0, le=51, description="of the videos: smaller is better and larger")
    robot: str = Field("tiltbot", min_length=1, description="robot_type of the dataset")


class LeRobotFormat:
    """The format; see `groups.Format`.

    Args:
        settings: how it is written.
    """

    name = "lerobot"

    def __init__(self, settings: LeRobotSettings) -> None:
        self.options = settings.digest()
        self._settings = settings
        self._layout: LeRobotLayout | None = None

    @property
    def layout(self) -> LeRobotLayout:
        """What all episodes have in common."""
        assert self._layout is not None  # noqa: S101 - resume comes first
        return self._layout

    def begin(self, first: Selected) -> tuple[int, dict[str, Any]]:
        """Take the layout of an episode, and so many to a file that it stays under its limit."""
        episode = Episode.open(first.path)
        layout = layout_of(episode, audio_hz=self._settings.audio_hz)
        rows = frames_of(episode, layout)
        size = sum(column.nbytes for column in rows.columns.values())
        return max(1, _GROUP_MB * 1_000_000 // size), layout.model_dump()

    def resume(self, layout: dict[str, Any]) -> None:
        """Take the layout."""
        self._layout = LeRobotLayout.model_validate(layout)

    def write_group(self, folder: Path, group: Group) -> GroupEntry:
        """Write one data file and one video file."""
        layout = self.layout
        file = group.files()
        place = {"chunk_index": file // CHUNK_FILES, "file_index": file % CHUNK_FILES}
        data = folder / DATA_PATH.format(**place)
        video = folder / VIDEO_PATH.format(video_key=CAMERA, **place)
        data.parent.mkdir(parents=True, exist_ok=True)
        video.parent.mkdir(parents=True, exist_ok=True)
        before = group.before()
        index = sum(one["length"] for one in before)
        tasks = _tasks(before)
        written: list[dict[str, Any]] = []
        left_out: list[LeftOut] = []
        schema = _schema(layout)
        with ExitStack() as stack:
            table = stack.enter_context(pq.ParquetWriter(data, schema, compression="snappy"))
            film = stack.enter_context(
                VideoFile(
                    video,
                    codec=self._settings.codec,
                    fps=layout.fps,
                    height=layout.height,
                    width=layout.width,
                    crf=self._settings.crf,
                )
            )
            for episode, frames in group.read(self._frames, left_out):
                task = tasks.setdefault(frames.task, len(tasks))
                columns = _indices(frames, layout, len(before) + len(written), index, task)
                first = film.frames
                for picture in frames.pictures:
                    film.append(picture)
                # One row group an episode, as the reference writer has it.
                table.write_table(_table(columns, schema))
                count = len(frames.pictures)
                written.append(
                    {
                        "episode_index": len(before) + len(written),
                        "tasks": [frames.task],
                        "length": count,
                        **{f"data/{name}": value for name, value in place.items()},
                        "dataset_from_index": index,
                        "dataset_to_index": index + count,
                        **{f"videos/{CAMERA}/{name}": value for name, value in place.items()},
                        f"videos/{CAMERA}/from_timestamp": first / layout.fps,
                        f"videos/{CAMERA}/to_timestamp": (first + count) / layout.fps,
                        **_provenance(episode),
                        "stats": _statistics(frames, columns),
                    }
                )
                index += count
        if not written:
            data.unlink()
            video.unlink(missing_ok=True)
        for path in (data, video) if written else ():
            sync_file(path)
            sync_directory(path.parent)
        return GroupEntry(number=group.number, episodes=tuple(written), left_out=tuple(left_out))

    def finish(self, folder: Path, entries: tuple[GroupEntry, ...]) -> None:
        """Write `meta/`."""
        episodes = [one for entry in entries for one in entry.episodes]
        meta = folder / "meta"
        (meta / "episodes").mkdir(parents=True, exist_ok=True)
        _write_tasks(meta / "tasks.parquet", _tasks(episodes))
        _write_episodes(folder, episodes)
        stats = {
            name: lerobot_stats.of_all([one["stats"][name] for one in episodes])
            for name in episodes[0]["stats"]
        }
        _write_json(meta / "stats.json", stats)
        _write_json(meta / "info.json", self._info(episodes))
        for path in sorted(folder.rglob("*")):
            if path.is_dir():
                sync_directory(path)

    def _frames(self, episode: Episode) -> tuple[Episode, LeRobotFrames]:
        return episode, frames_of(episode, self.layout)

    def _info(self, episodes: list[dict[str, Any]]) -> dict[str, Any]:
        layout, settings = self.layout, self._settings
        features = features_of(layout)
        features[CAMERA]["info"] = {
            "video.height": layout.height,
            "video.width": layout.width,
            "video.codec": CANONICAL[settings.codec],
            "video.pix_fmt": PIXELS,
            "video.fps": layout.fps,
            "video.channels": 3,
            "video.g": KEY_EVERY,
            "video.crf": settings.crf,
            "has_audio": False,
            "is_depth_map": False,
        }
        for name, dtype in _DEFAULTS.items():
            features[name] = {"dtype": dtype, "shape": [1], "names": None}
        return {
            "codebase_version": VERSION,
            "robot_type": settings.robot,
            "total_episodes": len(episodes),
            "total_frames": sum(one["length"] for one in episodes),
            "total_tasks": len(_tasks(episodes)),
            "chunks_size": CHUNK_FILES,
            "data_files_size_in_mb": DATA_MB,
            "video_files_size_in_mb": VIDEO_MB,
            "fps": layout.fps,
            "splits": {"train": f"0:{len(episodes)}"},
            "data_path": DATA_PATH,
            "video_path": VIDEO_PATH,
            "features": features,
        }


def _tasks(episodes: list[dict[str, Any]]) -> dict[str, int]:
    """Return the index of each task, in the order of their first episodes."""
    tasks: dict[str, int] = {}
    for one in episodes:
        for task in one["tasks"]:
            tasks.setdefault(task, len(tasks))
    return tasks


def _indices(
    frames: LeRobotFrames, layout: LeRobotLayout, episode: int, index: int, task: int
) -> dict[str, npt.NDArray[Any]]:
    count = len(frames.pictures)
    numbers = np.arange(count)
    return {
        **frames.columns,
        "timestamp": (numbers / layout.fps).astype(np.float32),
        "frame_index": numbers,
        "episode_index": np.full(count, episode),
        "index": index + numbers,
        "task_index": np.full(count, task),
    }


def _provenance(episode: Episode) -> dict[str, Any]:
    facts = episode.facts
    return {
        "tiltbot/id": facts.id,
        "tiltbot/folder": str(episode.path.parent),
        "tiltbot/rig": episode.constant.rig,
        "tiltbot/object": facts.object,
        "tiltbot/outcome": facts.outcome,
        "tiltbot/labels": json.dumps(facts.labels, sort_keys=True),
        "tiltbot/clean": facts.verdict.clean,
        "tiltbot/contact_ns": facts.contact.stamp_ns,
        "tiltbot/contact_microphone": facts.contact.channel,
        "tiltbot/bag_crc32": facts.bag_crc32,
    }


def _statistics(
    frames: LeRobotFrames, columns: dict[str, npt.NDArray[Any]]
) -> dict[str, lerobot_stats.Statistics]:
    return {
        CAMERA: lerobot_stats.of_pictures(frames.pictures),
        **{name: lerobot_stats.of_column(values) for name, values in columns.items()},
    }


def _schema(layout: LeRobotLayout) -> pa.Schema:
    fields = []
    for name, feature in features_of(layout).items():
        if feature["dtype"] == "video":
            continue
        kind: pa.DataType = pa.type_for_alias(feature["dtype"])
        shape = feature["shape"]
        if len(shape) == 1 and shape != [1]:
            kind = pa.list_(kind, shape[0])
        for _ in shape if len(shape) > 1 else ():
            kind = pa.list_(kind)
        fields.append(pa.field(name, kind))
    fields += [pa.field(name, pa.type_for_alias(dtype)) for name, dtype in _DEFAULTS.items()]
    return pa.schema(fields)


def _table(columns: dict[str, npt.NDArray[Any]], schema: pa.Schema) -> pa.Table:
    return pa.Table.from_arrays(
        [_column(columns[field.name], field.type) for field in schema], schema=schema
    )


def _column(values: npt.NDArray[Any], kind: pa.DataType) -> pa.Array:
    """Return a column of scalars, of vectors of one length, or of nested lists."""
    if values.ndim == 1:
        return pa.array(values, kind)
    flat = pa.array(np.ascontiguousarray(values).reshape(-1))
    if pa.types.is_fixed_size_list(kind):
        return pa.FixedSizeListArray.from_arrays(flat, type=kind)
    nested = flat
    for length, outer in _lengths(values.shape):
        nested = pa.ListArray.from_arrays(
            pa.array(np.arange(outer + 1) * length, pa.int32()), nested
        )
    return nested.cast(kind)


def _lengths(shape: tuple[int, ...]) -> Iterator[tuple[int, int]]:
    """Yield the length of the lists and their number, from the innermost axis out."""
    for axis in range(len(shape) - 1, 0, -1):
        yield shape[axis], int(np.prod(shape[:axis]))


def _write_tasks(path: Path, tasks: dict[str, int]) -> None:
    """Write the tasks as pandas writes a frame whose index is the texts."""
    table = pa.table(
        {"task_index": pa.array(list(tasks.values()), pa.int64()), "task": list(tasks)}
    )
    columns = [
        {"name": "task_index", "field_name": "task_index", "pandas_type": "int64",
         "numpy_type": "int64", "metadata": None},
        {"name": "task", "field_name": "task", "pandas_type": "unicode",
         "numpy_type": "object", "metadata": None},
    ]  # fmt: skip
    pandas = {
        "index_columns": ["task"],
        "column_indexes": [],
        "columns": columns,
        "creator": {"library": "pyarrow", "version": pa.__version__},
        "pandas_version": "2.0.0",
    }
    table = table.replace_schema_metadata({b"pandas": json.dumps(pandas).encode()})
    pq.write_table(table, path)
    sync_file(path)


def _write_episodes(folder: Path, episodes: list[dict[str, Any]]) -> None:
    for file, start in enumerate(range(0, len(episodes), _EPISODES_IN_FILE)):
        place = {"chunk_index": file // CHUNK_FILES, "file_index": file % CHUNK_FILES}
        rows = [
            {
                **{name: value for name, value in one.items() if name != "stats"},
                **{
                    f"stats/{feature}/{name}": value
                    for feature, values in one["stats"].items()
                    for name, value in values.items()
                },
                **{f"meta/episodes/{name}": value for name, value in place.items()},
            }
            for one in episodes[start : start + _EPISODES_IN_FILE]
        ]
        path = folder / EPISODES_PATH.format(**place)
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.Table.from_pylist(rows), path, compression="snappy")
        sync_file(path)


def _write_json(path: Path, value: dict[str, Any]) -> None:
    write_durably(path, (json.dumps(value, indent=4, ensure_ascii=False) + "\n").encode())
