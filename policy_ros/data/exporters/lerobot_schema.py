"""What a LeRobot dataset v3.0 is, written down from the published code that reads one.

Source: https://github.com/huggingface/lerobot, src/lerobot/datasets
(`utils.DatasetInfo`, `feature_utils.get_hf_features_from_features`,
`io_utils.load_*`, `dataset_metadata`, `dataset_reader`) as of August 2026.
Nothing here is shared with the code that writes such a dataset.
"""

import json
import re
import string
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

MAJOR = 3
TOLERANCE_S = 1e-4
"""`tolerance_s` of LeRobotDataset: how far a frame may be from its time [s]."""

INFO = "meta/info.json"
STATS = "meta/stats.json"
TASKS = "meta/tasks.parquet"
EPISODES = "meta/episodes"
DATA = "data"

EVERY_DATASET = {
    "timestamp": "float32",
    "frame_index": "int64",
    "episode_index": "int64",
    "index": "int64",
    "task_index": "int64",
}
"""Features that every dataset has, all of shape (1,)."""

EPISODE_COLUMNS = {
    "episode_index": pa.int64(),
    "tasks": pa.list_(pa.string()),
    "length": pa.int64(),
    "data/chunk_index": pa.int64(),
    "data/file_index": pa.int64(),
    "dataset_from_index": pa.int64(),
    "dataset_to_index": pa.int64(),
    "meta/episodes/chunk_index": pa.int64(),
    "meta/episodes/file_index": pa.int64(),
}
VIDEO_COLUMNS = {
    "chunk_index": pa.int64(),
    "file_index": pa.int64(),
    "from_timestamp": pa.float64(),
    "to_timestamp": pa.float64(),
}
"""Columns of an episode for each video, after `videos/KEY/`."""

STATISTICS = ("min", "max", "mean", "std", "count")

_PICTURES = ("video", "image")
_TEXTS = ("string", "language")
_MOST_AXES = 5
_COUNTS = ("total_episodes", "total_frames", "total_tasks")
_SIZES = ("chunks_size", "data_files_size_in_mb", "video_files_size_in_mb")


@dataclass(frozen=True, kw_only=True, slots=True)
class Feature:
    """One feature of `meta/info.json`.

    Attributes:
        name: of it.
        dtype: a NumPy type, or video, image, string, language.
        shape: of one frame.
        names: of the axes or components; None: none.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    names: Any

    @property
    def is_video(self) -> bool:
        """It is in MP4 files and has no column."""
        return self.dtype == "video"

    @property
    def is_picture(self) -> bool:
        """It is a picture, in whatever file."""
        return self.dtype in _PICTURES

    @property
    def is_number(self) -> bool:
        """It has a column of numbers."""
        return self.dtype not in (*_PICTURES, *_TEXTS)

    def statistic_shape(self) -> tuple[int, ...]:
        """Return the shape of each of its statistics but the count."""
        if self.is_picture:
            return (3, 1, 1)
        return (self.shape[-1],)

    def fits(self, kind: pa.DataType) -> bool:
        """Say whether a column of this Arrow type can be read as the feature."""
        if isinstance(kind, pa.BaseExtensionType):  # of `datasets`, where it is installed
            kind = kind.storage_type
        if self.dtype == "image":
            return bool(pa.types.is_struct(kind))
        if self.dtype in _TEXTS:
            return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))
        value = pa.type_for_alias(self.dtype)
        if self.shape == (1,):
            return bool(kind == value)
        for _ in self.shape:
            if not (pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind)):
                return False
            kind = kind.value_type
        return bool(kind == value)


@dataclass(frozen=True, kw_only=True, slots=True)
class Info:
    """`meta/info.json`, as far as it could be read.

    Attributes:
        fps: frames per second; 0: not told.
        episodes, frames, tasks: totals.
        chunk_files: files in one chunk at most.
        data_path, video_path: templates.
        features: by name.
    """

    fps: float
    episodes: int
    frames: int
    tasks: int
    chunk_files: int
    data_path: str
    video_path: str
    features: dict[str, Feature]


def read_info(root: Path) -> tuple[Info | None, list[str]]:
    """Read `meta/info.json`; return it and what is wrong with it."""
    path = root / INFO
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        return None, [f"{path}: expected JSON, cannot read it: {error}"]
    if not isinstance(raw, dict) or not isinstance(raw.get("features"), dict):
        return None, [f"{path}: expected an object with 'features'"]
    problems = [f"{path}: {text}" for text in _info_problems(raw)]
    features: dict[str, Feature] = {}
    for name, value in raw["features"].items():
        feature, wrong = _feature(name, value)
        problems += [f"{path}: features.{name}: {text}" for text in wrong]
        if feature is not None:
            features[name] = feature
    problems += [f"{path}: {text}" for text in _common_problems(features)]
    info = Info(
        fps=raw["fps"] if _is_number(raw.get("fps")) else 0,
        episodes=_whole(raw, "total_episodes"),
        frames=_whole(raw, "total_frames"),
        tasks=_whole(raw, "total_tasks"),
        chunk_files=max(1, _whole(raw, "chunks_size")),
        data_path=raw["data_path"] if isinstance(raw.get("data_path"), str) else "",
        video_path=raw["video_path"] if isinstance(raw.get("video_path"), str) else "",
        features=features,
    )
    return info, problems


def _info_problems(raw: dict[str, Any]) -> list[str]:
    problems = []
    version = raw.get("codebase_version")
    if not isinstance(version, str) or not re.fullmatch(rf"v{MAJOR}\.\d+(\.\d+)?", version):
        problems.append(f"expected codebase_version v{MAJOR}.x, got {version!r}")
    if not _is_number(raw.get("fps")) or raw["fps"] <= 0:
        problems.append(f"expected fps above 0, got {raw.get('fps')!r}")
    problems += [
        f"expected {name} 0 or more, got {raw.get(name)!r}"
        for name in _COUNTS
        if not _is_whole(raw.get(name)) or raw[name] < 0
    ]
    problems += [
        f"expected {name} above 0, got {raw.get(name)!r}"
        for name in _SIZES
        if not _is_whole(raw.get(name)) or raw[name] <= 0
    ]
    problems += _path_problems(raw, "data_path", {"chunk_index", "file_index"})
    videos = any(
        isinstance(value, dict) and value.get("dtype") == "video"
        for value in raw["features"].values()
    )
    if videos:
        problems += _path_problems(raw, "video_path", {"video_key", "chunk_index", "file_index"})
    splits = raw.get("splits")
    if not isinstance(splits, dict):
        problems.append(f"expected splits as an object, got {splits!r}")
        return problems
    for name, span in splits.items():
        match = re.fullmatch(r"(\d+):(\d+)", span) if isinstance(span, str) else None
        if match is None or not int(match[1]) <= int(match[2]) <= _whole(raw, "total_episodes"):
            problems.append(f"expected the split {name} as FIRST:END of episodes, got {span!r}")
    return problems


def _path_problems(raw: dict[str, Any], name: str, wanted: set[str]) -> list[str]:
    template = raw.get(name)
    try:
        fields = {field for _, field, _, _ in string.Formatter().parse(template or "") if field}
    except (TypeError, ValueError):
        fields = set()
    if fields == wanted:
        return []
    return [f"expected {name} with {', '.join(sorted(wanted))}, got {template!r}"]


def _feature(name: str, value: Any) -> tuple[Feature | None, list[str]]:
    if not isinstance(value, dict):
        return None, [f"expected an object, got {type(value).__name__}"]
    problems = []
    if "/" in name:
        problems.append("expected a name without '/'")
    dtype, shape = value.get("dtype"), value.get("shape")
    if not isinstance(dtype, str) or not _is_dtype(dtype):
        return None, [*problems, f"expected a NumPy type, video, image or string, got {dtype!r}"]
    if (
        not isinstance(shape, list)
        or not 1 <= len(shape) <= _MOST_AXES
        or not all(_is_whole(length) and length > 0 for length in shape)
    ):
        return None, [*problems, f"expected a shape of 1 to {_MOST_AXES} lengths, got {shape!r}"]
    names = value.get("names")
    if "names" not in value:
        problems.append("expected names (or null)")
    if dtype in _PICTURES:
        channels = (
            isinstance(names, list) and len(names) == 3 and names[2] in ("channel", "channels")
        )
        if len(shape) != 3 or not channels:
            problems.append(
                "expected the shape [height, width, channels] and names that say so, got "
                f"{shape} and {names!r}"
            )
    feature = Feature(name=name, dtype=dtype, shape=tuple(shape), names=names)
    return feature, problems


def _common_problems(features: dict[str, Feature]) -> list[str]:
    return [
        f"expected the feature {name} of {dtype} and shape [1], got "
        f"{features[name].dtype + str(list(features[name].shape)) if name in features else 'none'}"
        for name, dtype in EVERY_DATASET.items()
        if name not in features or features[name].dtype != dtype or features[name].shape != (1,)
    ]


def _is_dtype(text: str) -> bool:
    if text in (*_PICTURES, *_TEXTS):
        return True
    try:
        np.dtype(text)
        pa.type_for_alias(text)
    except (TypeError, ValueError):
        return False
    return True


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _whole(raw: dict[str, Any], name: str) -> int:
    value = raw.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
