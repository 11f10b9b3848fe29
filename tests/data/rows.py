"""Rows of a store whose content is known."""

from pathlib import Path

import numpy as np

from policy_ros.data.manifest import Manifest
from policy_ros.data.sample import Provenance, Sample
from policy_ros.data.store_settings import StoreSettings
from policy_ros.data.writer import StoreWriter
from policy_ros.signals.settings import FrontEndSettings

SMALL = StoreSettings(
    front_end=FrontEndSettings(frequencies=8, times=8),
    seconds=0.25,
    picture_size=8,
    shard_rows=4,
)
OBJECTS = {"mug": "A", "can": "A", "cube": "B"}


def sample(number: int, settings: StoreSettings = SMALL, **changes) -> Sample:
    """Return the same sample for the same number; it belongs to mug, can, cube in turn."""
    rng = np.random.default_rng(number)
    size = settings.picture_size
    front_end = settings.front_end
    action = rng.uniform(-0.7, 0.7, 2)
    values = {
        "audio": rng.integers(
            -9000, 9000, (settings.channels, settings.audio_frames), dtype=np.int16
        ),
        "spectrogram": rng.uniform(
            -5, 5, (settings.channels, front_end.frequencies, front_end.times)
        ).astype(np.float16),
        "before": rng.integers(0, 255, (size, size, 3), dtype=np.uint8),
        "after": rng.integers(0, 255, (size, size, 3), dtype=np.uint8),
        "action": action.astype(np.float32),
        "rotation": (action * settings.max_tilt_rad).astype(np.float32),
        "location_before": rng.uniform(-1, 1, 2).astype(np.float32),
        "location_after": np.full(2, np.nan, np.float32)
        if number % 5 == 4
        else rng.uniform(-1, 1, 2).astype(np.float32),
        "tray": rng.standard_normal((settings.tray_steps, 2)).astype(np.float32),
        "object": tuple(OBJECTS)[number % 3],
        "contact_channel": number % 4,
        "contact_level": 0.25,
        "contact_ns": 1_000_000_000 * (number + 1),
        "start_ns": 1_000_000_000 * number,
        "clean": number % 7 != 6,
        "provenance": Provenance(
            id=f"ep_{number:06d}", folder="/data", origin="test", bag_crc32=number
        ),
        **changes,
    }
    return Sample(**values)


def write(path: Path, numbers, settings: StoreSettings = SMALL) -> None:
    with StoreWriter(path, settings, objects=OBJECTS) as writer:
        for number in numbers:
            writer.add(sample(number, settings))


def content(path: Path) -> dict[str, bytes]:
    """Return every file of a store but its lock, shards named by their order."""
    files = {}
    for index, shard in enumerate(Manifest.read(path).shards):
        for file in sorted((path / shard.name).iterdir()):
            files[f"{index}/{file.name}"] = file.read_bytes()
    return files
