"""A toy pushing data set over the toy store's objects: how far one slides follows its pitch."""

import numpy as np

from tiltbot_ros.generating.push_set import (
    ARRAYS,
    FORMAT_VERSION,
    MANIFEST,
    ArrayFacts,
    Manifest,
    crc32_of,
)


def write_pushes(path, *, objects=4, pushes_per_object=20, seed=0):
    """Write a data set; return its path."""
    rng = np.random.default_rng(seed)
    train = tuple(f"a{n}" for n in range(objects))
    test = tuple(f"b{n}" for n in range(objects))
    count = 2 * objects * pushes_per_object
    index = np.tile(np.arange(2 * objects), pushes_per_object)
    slide = (index % objects + 0.5 * (index >= objects)) / objects
    start = rng.uniform(-0.4, 0.4, (count, 2))
    angle = rng.uniform(0, 2 * np.pi, count)
    direction = np.stack((np.cos(angle), np.sin(angle)), 1)
    end = start + direction * (0.1 + 0.5 * slide)[:, None]
    end[0] = np.nan  # one object rolled out of sight
    pixels = 8
    arrays = {
        "location_start": start,
        "push_start": start - 0.2 * direction,
        "push_end": start + 0.1 * direction,
        "location_end": end,
        "object": index,
        "number": np.arange(count) // (2 * objects),
        "truth_start": np.zeros((count, 3)),
        "truth_end": np.zeros((count, 3)),
        "upright": np.ones(count),
        "rested": np.ones(count),
        "before": np.zeros((count, pixels, pixels, 3)),
        "after": np.zeros((count, pixels, pixels, 3)),
    }
    path.mkdir(parents=True)
    facts = {}
    for name, values in arrays.items():
        array = np.asarray(values, ARRAYS[name].dtype)
        np.save(path / f"{name}.npy", array)
        facts[name] = ArrayFacts(
            dtype=ARRAYS[name].dtype,
            shape=array.shape,
            unit=ARRAYS[name].unit,
            crc32=crc32_of(array),
        )
    manifest = Manifest(
        format_version=FORMAT_VERSION,
        plan={},
        objects=train + test,
        train_objects=train,
        test_objects=test,
        half_side_m=0.4,
        frame="toy",
        statistics={},
        arrays=facts,
    )
    (path / MANIFEST).write_text(manifest.model_dump_json())
    return path
