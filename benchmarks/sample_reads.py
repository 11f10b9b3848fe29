"""How fast a random training sample is read: training store, zarr 3, rosbags.

A sample is the spectrogram, the pictures before and after, the action, the
locations and the object. The same samples are read from the bags through
rosbags (index, the messages of these topics, JPEG decoding; without computing
the spectrogram), from a zarr 3 store with a chunk for each row, once with
zarr's own compression and once without, and from the training store. All is
in the page cache; the figures are medians of the thread's processor time.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import zarr
from rosbags.rosbag2 import Reader

from benchmarks.convert import OBJECTS, episodes
from benchmarks.report import options, tell
from policy_ros.data.converting import convert
from policy_ros.data.dataset import StoreDataset
from policy_ros.data.store import Store
from tiltbot_ros.episodes.cdr import read_audio
from tiltbot_ros.episodes.typestore import typestore

NAMES = (
    "spectrogram",
    "before",
    "after",
    "action",
    "location_before",
    "location_after",
    "object",
)
GENERATED = 9
"""Episodes that are no copies of others."""

TOPICS = ("/audio", "/camera/color/image_raw/compressed", "/object_location", "/tilt")

Arrays = list[np.ndarray[Any, Any]]


def from_store(store: Store, row: int) -> Arrays:
    """Return a sample, copied out of the memory maps."""
    return [np.array(store.array(name)[row]) for name in NAMES]


def from_zarr(group: zarr.Group, row: int) -> Arrays:
    """Return the same from zarr."""
    return [np.asarray(group[name][row]) for name in NAMES]


def from_bag(path: Path) -> Arrays:
    """Return the sound, the pictures and what else a sample is made of."""
    store = typestore()
    sound, rest = [], []
    with Reader(path) as reader:
        wanted = [c for c in reader.connections if c.topic in TOPICS]
        for connection, _, data in reader.messages(wanted):
            if connection.topic == "/audio":
                sound.append(read_audio(data).block.samples)
                continue
            message: Any = store.deserialize_cdr(data, connection.msgtype)
            if connection.topic.endswith("compressed"):
                rest.append(cv2.imdecode(message.data, cv2.IMREAD_COLOR))
    return [np.concatenate(sound), *rest]


def into_zarr(store: Store, place: Path, *, compressed: bool) -> zarr.Group:
    """Write a store's arrays as zarr, a chunk for each row."""
    group = zarr.open_group(place, mode="w")
    for name in NAMES:
        values = store.array(name)[:]
        array = group.create_array(
            name,
            shape=values.shape,
            chunks=(1, *values.shape[1:]),
            dtype=values.dtype,
            compressors="auto" if compressed else None,
        )
        array[:] = values
    return group


def median_ms(read: Callable[[int], Arrays], rows: Sequence[int]) -> float:
    """Return the median processor time of a read [ms]."""
    taken = []
    for row in rows:
        began = time.thread_time()
        read(int(row))
        taken.append(time.thread_time() - began)
    return float(np.median(taken)) * 1e3


def main() -> None:
    """Print the table."""
    chosen = options(__doc__ or "")
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        paths = episodes(
            place / "data", generated=GENERATED // len(OBJECTS), copies=4 if chosen.quick else 50
        )
        convert([place / "data"], place / "store")
        store = Store.open(place / "store")
        packed = into_zarr(store, place / "packed.zarr", compressed=True)
        plain = into_zarr(store, place / "plain.zarr", compressed=False)
        for row in range(0, len(store), max(1, len(store) // 30)):
            one = from_store(store, row)
            for other in (from_zarr(packed, row), from_zarr(plain, row)):
                if any(
                    mine.tobytes() != its.tobytes() for mine, its in zip(one, other, strict=True)
                ):
                    raise SystemExit(f"row {row} differs")
        order = np.random.default_rng(1).permutation(len(store))
        times = {
            "store": median_ms(lambda row: from_store(store, row), order),
            "zarr": median_ms(lambda row: from_zarr(packed, row), order[:150]),
            "zarr_plain": median_ms(lambda row: from_zarr(plain, row), order[:150]),
            "rosbags": median_ms(lambda row: from_bag(paths[row % GENERATED]), order[:60]),
        }
        dataset = StoreDataset(store, np.arange(len(store)), NAMES)
        taken = []
        for _ in range(20):
            rows = np.random.default_rng(2).integers(0, len(store), 64)
            began = time.thread_time()
            dataset[rows]
            taken.append((time.thread_time() - began) / 64)
        batch = float(np.median(taken)) * 1e3
    best = min(times["zarr"], times["zarr_plain"])
    tell(
        f"Random reads of a training sample, {len(order)} episodes",
        [
            ("training store", f"{times['store']:.3f} ms", ""),
            ("training store, in batches of 64 float tensors", f"{batch:.3f} ms a sample", ""),
            ("zarr 3", f"{times['zarr']:.3f} ms", ""),
            ("zarr 3, not compressed", f"{times['zarr_plain']:.3f} ms", ""),
            ("bag, by rosbags", f"{times['rosbags']:.3f} ms", ""),
            ("rosbags / store", f"{times['rosbags'] / times['store']:.0f}", ">= 50"),
            ("better zarr / store", f"{best / times['store']:.1f}", ">= 3"),
        ],
        figures={"ms": times, "batch_ms": batch},
        file=chosen.json,
    )


if __name__ == "__main__":
    main()
