import json
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from policy_ros.data.exporters.lerobot_check import check_lerobot
from policy_ros.data.exporters.lerobot_frames import CAMERA
from policy_ros.data.exporters.video import VideoFile

DATA = "data/chunk-000/file-000.parquet"
EPISODES = "meta/episodes/chunk-000/file-000.parquet"
TASKS = "meta/tasks.parquet"
VIDEO = f"videos/{CAMERA}/chunk-000/file-000.mp4"


@pytest.fixture(scope="module")
def small(dataset, tmp_path_factory):
    """Return the dataset without its sound, which takes long to read."""
    root = tmp_path_factory.mktemp("small") / "dataset"
    shutil.copytree(dataset, root)
    info = json.loads((root / "meta/info.json").read_text())
    del info["features"]["observation.audio"]
    (root / "meta/info.json").write_text(json.dumps(info))
    pq.write_table(pq.read_table(root / DATA).drop_columns(["observation.audio"]), root / DATA)
    assert check_lerobot(root) == ()
    return root


def edit_json(file, change):
    def damage(root):
        value = json.loads((root / file).read_text())
        change(value)
        (root / file).write_text(json.dumps(value))

    return damage


def info(change):
    return edit_json("meta/info.json", change)


def edit_table(file, change):
    def damage(root):
        table = pq.read_table(root / file)
        pq.write_table(change(table), root / file)

    return damage


def column(file, name, change):
    def edit(table):
        index = table.column_names.index(name)
        values = pa.array(change(table[name].to_pylist()), table.schema.field(name).type)
        return table.set_column(index, table.schema.field(name), values)

    return edit_table(file, edit)


def cast(file, name, kind):
    def edit(table):
        index = table.column_names.index(name)
        return table.set_column(index, pa.field(name, kind), table[name].cast(kind))

    return edit_table(file, edit)


def film(count, fps=6, size=(120, 160)):
    def damage(root):
        (root / VIDEO).unlink()
        with VideoFile(
            root / VIDEO, codec="h264", fps=fps, height=size[0], width=size[1], crf=30
        ) as video:
            for _ in range(count):
                video.append(np.zeros((*size, 3), np.uint8))

    return damage


def swapped(values):
    return [*values[1:], values[0]]


DAMAGES = {
    "info.json: expected JSON": lambda root: (root / "meta/info.json").write_text("{"),
    "expected codebase_version v3.x, got 'v2.1'": info(lambda v: v.update(codebase_version="v2.1")),
    "expected fps above 0, got 0": info(lambda v: v.update(fps=0)),
    "expected total_episodes 3, got 4": info(lambda v: v.update(total_episodes=4)),
    "expected total_frames 72, got 71": info(lambda v: v.update(total_frames=71)),
    "expected total_tasks 2, got 3": info(lambda v: v.update(total_tasks=3)),
    "expected chunks_size above 0, got None": info(lambda v: v.pop("chunks_size")),
    "expected data_path with": info(lambda v: v.update(data_path="data/{file}.parquet")),
    "expected video_path with": info(lambda v: v.update(video_path=None)),
    "expected the split train": info(lambda v: v.update(splits={"train": "0:9"})),
    "expected the feature timestamp": info(lambda v: v["features"].pop("timestamp")),
    "expected a name without '/'": info(
        lambda v: v["features"].update({"a/b": v["features"]["action"]})
    ),
    "features.action: expected a NumPy type": info(
        lambda v: v["features"]["action"].update(dtype="floaty")
    ),
    "features.action: expected a shape": info(lambda v: v["features"]["action"].update(shape=[0])),
    "expected the shape [height, width, channels]": info(
        lambda v: v["features"][CAMERA].update(names=["channels", "height", "width"])
    ),
    "expected the shape [3] in every row of action": info(
        lambda v: v["features"]["action"].update(shape=[3])
    ),
    "expected pandas metadata": edit_table(TASKS, lambda t: t.replace_schema_metadata({})),
    "expected task_index 0, 1, ...": column(TASKS, "task_index", swapped),
    "expected different texts": column(TASKS, "task", lambda v: [v[0]] * 2),
    "tasks.parquet: expected a Parquet file": lambda root: (root / TASKS).write_bytes(b"PAR1"),
    "expected chunk-000/file-000.parquet, found none": lambda root: (root / EPISODES).unlink(),
    "expected the columns length (int64)": edit_table(
        EPISODES, lambda t: t.drop_columns(["length"])
    ),
    "expected the columns dataset_to_index (int64)": cast(
        EPISODES, "dataset_to_index", pa.float64()
    ),
    "expected the columns stats/action/mean": edit_table(
        EPISODES, lambda t: t.drop_columns(["stats/action/mean"])
    ),
    "expected the episodes in order": column(EPISODES, "episode_index", swapped),
    "expected frames 24 to 48, got": column(EPISODES, "dataset_from_index", lambda _: [0, 23, 48]),
    "expected meta/episodes/* to name this file": column(
        EPISODES, "meta/episodes/file_index", lambda _: [1, 1, 1]
    ),
    "expected a task, got none": column(EPISODES, "tasks", lambda v: [[], *v[1:]]),
    "expected the data of an episode, found no file": column(
        EPISODES, "data/file_index", lambda _: [0, 0, 7]
    ),
    "expected data/file_index below chunks_size": column(
        EPISODES, "data/file_index", lambda _: [0, 0, 1000]
    ),
    "expected index 0, 1": column(DATA, "index", swapped),
    "expected frame_index to count from 0": column(DATA, "frame_index", swapped),
    "expected timestamp frame_index / 6": column(
        DATA, "timestamp", lambda v: [time + 0.001 for time in v]
    ),
    "expected the frames of the episodes": column(DATA, "episode_index", swapped),
    "expected task_index below 2": column(DATA, "task_index", lambda v: [2, *v[1:]]),
    "expected the columns [": edit_table(DATA, lambda t: t.drop_columns(["tilt"])),
    "in contact, got int64": cast(DATA, "contact", pa.int64()),
    "in every row of tilt": column(DATA, "tilt", lambda v: [None, *v[1:]]),
    "data: expected total_frames 72 rows, got 60": edit_table(DATA, lambda t: t.slice(0, 60)),
    "000.parquet: expected a Parquet file": lambda root: (root / DATA).write_bytes(b"PAR1 no"),
    "file-000.mp4: expected a video": lambda root: (root / VIDEO).write_bytes(b"no video"),
    "expected a video, cannot read it": lambda root: (root / VIDEO).unlink(),
    "expected a frame at each time of episode 2": film(70),
    "expected a frame at each time of episode 0": film(72, fps=7),
    "expected (120, 160) pixels, got (60, 80)": film(72, size=(60, 80)),
    "expected 4 s of episode 1, got 3 s": column(
        EPISODES, f"videos/{CAMERA}/to_timestamp", lambda _: [4.0, 7.0, 12.0]
    ),
    "stats.json: expected JSON": lambda root: (root / "meta/stats.json").unlink(),
    "of action": edit_json("meta/stats.json", lambda v: v["action"].pop("std")),
    "expected the shape (3, 1, 1)": edit_json(
        "meta/stats.json", lambda v: v[CAMERA].update(mean=[0.5, 0.5, 0.5])
    ),
    "expected min <= mean <= max": edit_json(
        "meta/stats.json", lambda v: v["action"].update(mean=[9.0, 0.0])
    ),
    "expected finite numbers": edit_json(
        "meta/stats.json", lambda v: v["action"].update(mean=[float("nan"), 0.0])
    ),
    "expected pictures in [0, 1]": edit_json(
        "meta/stats.json", lambda v: v[CAMERA].update(max=[[[255.0]]] * 3)
    ),
    "expected a count of 1 to 72": edit_json(
        "meta/stats.json", lambda v: v["action"].update(count=[73])
    ),
}


@pytest.mark.parametrize("told", DAMAGES)
def test_every_departure_from_the_schema_is_told(small, tmp_path, told):
    root = tmp_path / "dataset"
    shutil.copytree(small, root)
    DAMAGES[told](root)
    problems = check_lerobot(root)
    assert any(told in problem for problem in problems), problems
    assert all(str(root) in problem for problem in problems), problems


def test_the_shape_of_arrays_is_looked_at(dataset, tmp_path):
    root = tmp_path / "dataset"
    shutil.copytree(dataset, root)
    info(lambda v: v["features"]["observation.audio"].update(shape=[7349, 4]))(root)
    assert any("[7349, 4] in every row" in problem for problem in check_lerobot(root))


def test_a_folder_that_is_none_is_told(tmp_path):
    (problem,) = check_lerobot(tmp_path)
    assert "info.json: expected JSON, cannot read it" in problem


@pytest.mark.parametrize("seed", range(12))
def test_corrupt_bytes_raise_nothing(small, tmp_path, seed):
    rng = np.random.default_rng(seed)
    root = tmp_path / "dataset"
    shutil.copytree(small, root)
    file = root / str(rng.choice(["meta/info.json", "meta/stats.json", TASKS, EPISODES, DATA]))
    data = bytearray(file.read_bytes())
    for _ in range(rng.integers(1, 9)):
        data[rng.integers(len(data))] = rng.integers(256)
    file.write_bytes(data)
    assert isinstance(check_lerobot(root), tuple)
