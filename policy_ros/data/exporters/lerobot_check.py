"""Check a folder against the description of a LeRobot dataset v3.0."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from policy_ros.data.exporters.lerobot_schema import (
    DATA,
    EPISODE_COLUMNS,
    EPISODES,
    INFO,
    STATISTICS,
    STATS,
    TASKS,
    TOLERANCE_S,
    VIDEO_COLUMNS,
    Feature,
    Info,
    read_info,
)

_MOST = 50
_MEAN_TOLERANCE = 1e-3


def check_lerobot(root: Path) -> tuple[str, ...]:
    """Return what is wrong with a dataset, each with its file; nothing: it conforms.

    Everything that the reader relies on is looked at: the schema and the
    totals, the order of rows and episodes over all files, every time stamp,
    the time of every frame of every video, the statistics. The first frame of
    every video is decoded.
    """
    root = root.expanduser()
    info, problems = read_info(root)
    if info is None:
        return tuple(problems)
    try:
        problems += _tasks(root, info)
        episodes, found = _episodes(root, info)
        problems += found
        if episodes:
            problems += _data(root, info, episodes)
            for feature in info.features.values():
                if feature.is_video:
                    problems += _videos(root, info, feature, episodes)
        problems += _stats(root, info)
    except (ValueError, TypeError, KeyError, pa.ArrowException) as error:
        # A file whose frame is whole may still hold bytes that are no text or number.
        problems.append(f"{root}: a file is corrupt: {type(error).__name__}: {error}")
    if len(problems) > _MOST:
        problems = [*problems[:_MOST], f"... and {len(problems) - _MOST} more"]
    return tuple(problems)


def _table(path: Path) -> tuple[pa.Table | None, list[str]]:
    try:
        return pq.read_table(path), []
    except (OSError, pa.ArrowException) as error:
        return None, [f"{path}: expected a Parquet file, cannot read it: {error}"]


def _tasks(root: Path, info: Info) -> list[str]:
    path = root / TASKS
    table, problems = _table(path)
    if table is None:
        return problems
    pandas = json.loads((table.schema.metadata or {}).get(b"pandas", b"{}"))
    if pandas.get("index_columns") != ["task"]:
        problems.append(
            f"{path}: expected pandas metadata that makes the column task the index, got "
            f"{pandas.get('index_columns')!r}"
        )
    if set(table.column_names) != {"task", "task_index"}:
        return [*problems, f"{path}: expected task and task_index, got {table.column_names}"]
    indices, texts = table["task_index"].to_pylist(), table["task"].to_pylist()
    if table.schema.field("task_index").type != pa.int64() or indices != list(range(len(indices))):
        problems.append(f"{path}: expected task_index 0, 1, ... as int64, got {indices[:5]}")
    if len(set(texts)) != len(texts) or not all(isinstance(text, str) for text in texts):
        problems.append(f"{path}: expected different texts")
    if len(texts) != info.tasks:
        problems.append(f"{root / INFO}: expected total_tasks {len(texts)}, got {info.tasks}")
    return problems


def _files(folder: Path) -> list[tuple[Path, int, int]]:
    """Return the files that the reader would load, in its order, with chunk and file index."""
    found = []
    for path in sorted(folder.glob("*/*.parquet")):
        chunk, file = path.parent.name.removeprefix("chunk-"), path.stem.removeprefix("file-")
        known = chunk.isdecimal() and file.isdecimal()
        found.append((path, int(chunk) if known else -1, int(file) if known else -1))
    return found


def _episodes(root: Path, info: Info) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the rows of all episodes, without their statistics, and what is wrong."""
    problems: list[str] = []
    rows: list[dict[str, Any]] = []
    wanted = dict(EPISODE_COLUMNS)
    for feature in info.features.values():
        if feature.is_video:
            wanted |= {f"videos/{feature.name}/{name}": t for name, t in VIDEO_COLUMNS.items()}
    files = _files(root / EPISODES)
    if not files:
        problems.append(f"{root / EPISODES}: expected chunk-000/file-000.parquet, found none")
    for path, chunk, file in files:
        table, wrong = _table(path)
        problems += wrong
        if table is None:
            continue
        missing = [
            f"{name} ({kind})"
            for name, kind in wanted.items()
            if name not in table.column_names or table.schema.field(name).type != kind
        ]
        if missing:
            problems.append(f"{path}: expected the columns {', '.join(missing)}")
            continue
        problems += _statistics_columns(path, table, info)
        part = table.select(list(wanted)).to_pylist()
        place = {
            (row["meta/episodes/chunk_index"], row["meta/episodes/file_index"]) for row in part
        }
        if place - {(chunk, file)}:
            problems.append(f"{path}: expected meta/episodes/* to name this file, got {place}")
        rows += part
    if len(rows) != info.episodes:
        problems.append(f"{root / INFO}: expected total_episodes {len(rows)}, got {info.episodes}")
    problems += [f"{root / EPISODES}: {text}" for text in _episode_problems(rows, info)]
    return rows, problems


def _statistics_columns(path: Path, table: pa.Table, info: Info) -> list[str]:
    names = set(table.column_names)
    missing = [
        f"stats/{feature.name}/{statistic}"
        for feature in info.features.values()
        if feature.is_number or feature.is_picture
        for statistic in STATISTICS
        if f"stats/{feature.name}/{statistic}" not in names
    ]
    return [f"{path}: expected the columns {', '.join(missing)}"] if missing else []


def _episode_problems(rows: list[dict[str, Any]], info: Info) -> Iterator[str]:
    index = 0
    for number, row in enumerate(rows):
        where = f"episode {number}"
        if row["episode_index"] != number:
            yield f"{where}: expected the episodes in order, got {row['episode_index']}"
        span = (row["dataset_from_index"], row["dataset_to_index"])
        if span != (index, index + row["length"]) or row["length"] < 1:
            yield (
                f"{where}: expected frames {index} to {index + row['length']}, got {span} and "
                f"length {row['length']}"
            )
        index = span[1]
        if not row["tasks"]:
            yield f"{where}: expected a task, got none"
        for name in (name for name in row if name.endswith("/file_index")):
            if not 0 <= row[name] < info.chunk_files:
                most = info.chunk_files
                yield f"{where}: expected {name} below chunks_size {most}, got {row[name]}"
    if index != info.frames:
        yield f"expected total_frames {index}, got {info.frames} in {INFO}"


def _data(root: Path, info: Info, episodes: list[dict[str, Any]]) -> list[str]:
    problems: list[str] = []
    columns = {name: f for name, f in info.features.items() if not f.is_video}
    owners = _owners(root, info.data_path, episodes, "data")
    frame = 0
    for path, _, _ in _files(root / DATA):
        table, wrong = _table(path)
        problems += wrong
        if table is None:
            continue
        if set(table.column_names) != set(columns):
            problems.append(
                f"{path}: expected the columns {sorted(columns)}, got {sorted(table.column_names)}"
            )
            continue
        problems += [
            f"{path}: expected {feature.dtype} of shape {list(feature.shape)} in {name}, got "
            f"{table.schema.field(name).type}"
            for name, feature in columns.items()
            if not feature.fits(table.schema.field(name).type)
        ]
        problems += [
            f"{path}: expected the shape {list(feature.shape)} in every row of {name}"
            for name, feature in columns.items()
            if feature.is_number and not _has_shape(table[name], feature)
        ]
        problems += [
            f"{path}: {text}"
            for text in _rows(table, info, episodes, owners.get(path.resolve(), []), frame)
        ]
        frame += table.num_rows
    missing = [str(path) for path in owners if not path.is_file()]
    problems += [f"{path}: expected the data of an episode, found no file" for path in missing]
    if frame != info.frames:
        problems.append(f"{root / DATA}: expected total_frames {info.frames} rows, got {frame}")
    return problems


def _owners(
    root: Path, template: str, episodes: list[dict[str, Any]], prefix: str, key: str = ""
) -> dict[Path, list[int]]:
    """Return the episodes that each file should hold, in order."""
    owners: dict[Path, list[int]] = {}
    for number, row in enumerate(episodes):
        try:
            name = template.format(
                video_key=key,
                chunk_index=row[f"{prefix}/chunk_index"],
                file_index=row[f"{prefix}/file_index"],
            )
        except (KeyError, ValueError, IndexError):
            continue  # the template's fault has been told
        owners.setdefault((root / name).resolve(), []).append(number)
    return owners


def _has_shape(column: pa.ChunkedArray, feature: Feature) -> bool:
    if column.null_count:
        return False
    if feature.shape == (1,):
        return True
    values = column.combine_chunks()
    if isinstance(values.type, pa.BaseExtensionType):
        values = values.storage
    for length in feature.shape:
        if not pa.types.is_nested(values.type) or values.null_count:
            return False
        lengths = pc.unique(pc.list_value_length(values)).to_pylist()
        if lengths != [length] and len(values):
            return False
        values = pc.list_flatten(values)
    return not values.null_count


def _rows(
    table: pa.Table,
    info: Info,
    episodes: list[dict[str, Any]],
    owned: list[int],
    first: int,
) -> Iterator[str]:
    """Tell what is wrong with the indices and time stamps of a file."""
    index = _numbers(table, "index")
    if not np.array_equal(index, first + np.arange(len(index))):
        yield f"expected index {first}, {first + 1}, ... in the order of the files"
    expected = [n for n in owned for _ in range(episodes[n]["length"])]
    if not np.array_equal(_numbers(table, "episode_index"), expected):
        yield f"expected the frames of the episodes {owned[:3]}..., got others in episode_index"
        return
    lengths = [episodes[number]["length"] for number in owned]
    frames = np.concatenate([np.arange(length) for length in lengths] or [np.empty(0)])
    if not np.array_equal(_numbers(table, "frame_index"), frames):
        yield "expected frame_index to count from 0 in every episode"
    times = _numbers(table, "timestamp")
    if info.fps and not np.allclose(times, frames / info.fps, rtol=0, atol=TOLERANCE_S):
        yield f"expected timestamp frame_index / {info.fps}"
    tasks = _numbers(table, "task_index")
    if len(tasks) and not (tasks.min() >= 0 and tasks.max() < info.tasks):
        yield f"expected task_index below {info.tasks}, got up to {tasks.max()}"


def _numbers(table: pa.Table, name: str) -> npt.NDArray[Any]:
    return np.asarray(table[name].to_numpy())


def _videos(
    root: Path, info: Info, feature: Feature, episodes: list[dict[str, Any]]
) -> Iterator[str]:
    prefix = f"videos/{feature.name}"
    owners = _owners(root, info.video_path, episodes, prefix, feature.name)
    for path, owned in owners.items():
        try:
            times, size = _frame_times(path)
        except (OSError, ValueError, av.error.FFmpegError) as error:
            yield f"{path}: expected a video, cannot read it: {error}"
            continue
        if size != feature.shape[:2]:
            yield f"{path}: expected {feature.shape[:2]} pixels, got {size}"
        for number in owned if info.fps > 0 else ():
            row = episodes[number]
            begin, end = row[f"{prefix}/from_timestamp"], row[f"{prefix}/to_timestamp"]
            if abs(end - begin - row["length"] / info.fps) > TOLERANCE_S:
                yield (
                    f"{path}: expected {row['length'] / info.fps:g} s of episode {number}, got "
                    f"{end - begin:g} s"
                )
            wanted = begin + np.arange(row["length"]) / info.fps
            nearest = np.abs(times[:, None] - wanted[None]).min(axis=0) if len(times) else np.inf
            if np.max(nearest) > TOLERANCE_S:
                yield (
                    f"{path}: expected a frame at each time of episode {number}, the nearest is "
                    f"up to {np.max(nearest):g} s away"
                )


def _frame_times(path: Path) -> tuple[npt.NDArray[np.float64], tuple[int, int]]:
    """Return the times of all frames [s], and height and width of the first, decoded."""
    with av.open(str(path)) as container:
        if not container.streams.video:
            raise ValueError("no pictures in it")
        stream = container.streams.video[0]
        first = next(container.decode(stream))
        size = (first.height, first.width)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stamps = [
            float(packet.pts * packet.time_base)
            for packet in container.demux(stream)
            if packet.pts is not None and packet.time_base is not None
        ]
    return np.sort(np.array(stamps)), size


def _stats(root: Path, info: Info) -> list[str]:
    path = root / STATS
    try:
        stats = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        return [f"{path}: expected JSON, cannot read it: {error}"]
    problems = []
    for feature in info.features.values():
        if not (feature.is_number or feature.is_picture):
            continue
        found = stats.get(feature.name) if isinstance(stats, dict) else None
        if not isinstance(found, dict) or not set(STATISTICS) <= set(found):
            problems.append(f"{path}: expected {', '.join(STATISTICS)} of {feature.name}")
            continue
        problems += [f"{path}: {feature.name}: {text}" for text in _values(found, feature, info)]
    return problems


def _values(found: dict[str, Any], feature: Feature, info: Info) -> Iterator[str]:
    try:
        values = {name: np.array(value, np.float64) for name, value in found.items()}
    except (TypeError, ValueError) as error:
        yield f"expected numbers: {error}"
        return
    wrong = {
        name: value.shape
        for name, value in values.items()
        if value.shape != ((1,) if name == "count" else feature.statistic_shape())
    }
    if wrong:
        yield f"expected the shape {feature.statistic_shape()} (count: (1,)), got {wrong}"
        return
    if not all(np.isfinite(value).all() for value in values.values()):
        yield "expected finite numbers"
        return
    least, most, mean = values["min"], values["max"], values["mean"]
    room = _MEAN_TOLERANCE * (1 + np.abs(mean))
    if (least > mean + room).any() or (mean > most + room).any() or (values["std"] < 0).any():
        yield "expected min <= mean <= max and std >= 0"
    if feature.is_picture and (least.min() < 0 or most.max() > 1):
        yield "expected pictures in [0, 1]"
    if not 1 <= values["count"][0] <= info.frames:
        yield f"expected a count of 1 to {info.frames} frames, got {values['count'][0]:g}"
