"""How fast bags become a training store.

A few episodes are generated as `tiltbot generate` does by default (4 s of
4 x 44.1 kHz, pictures before and after, tray at 100 Hz), then stand in the
folder many times, each as an episode of its own. Files are in the page cache;
what is measured is the work. One worker converts within the process, so its
processor time is all there is; two are told by the clock, which means
something only where two processors are free.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import shutil
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from benchmarks.report import options, tell
from policy_ros.data.converting import convert
from tiltbot_ros.episodes.facts import FACTS_FILE, EpisodeFacts
from tiltbot_ros.generating.plan import generated_rig, make_plan
from tiltbot_ros.generating.progress import GeneratedFolder
from tiltbot_ros.generating.workers import generate
from tiltbot_ros.rigs import load_rig

OBJECTS = ("025_mug", "077_rubiks_cube", "048_hammer")


def episodes(folder: Path, *, generated: int, copies: int) -> list[Path]:
    """Fill a folder with so many generated episodes of each object, each so many times."""
    rig = generated_rig(load_rig("sim"))
    plan = make_plan(rig, OBJECTS, episodes=generated)
    making = GeneratedFolder(folder, plan)
    try:
        generate(making, rig, workers=1)
    finally:
        making.close()
    first = sorted(folder.glob("ep_*"))
    found = list(first)
    for copy in range(1, copies):
        for number, source in enumerate(first, 1):
            found.append(_again(source, folder / f"ep_{copy * len(first) + number:06d}", copy))
    return found


def _again(source: Path, target: Path, number: int) -> Path:
    target.mkdir()
    os.link(source / f"{source.name}.mcap", target / f"{target.name}.mcap")
    shutil.copy(source / "metadata.yaml", target)
    facts = EpisodeFacts.read(source)
    contact = replace(facts.contact, stamp_ns=facts.contact.stamp_ns + number)
    changed = replace(facts, id=target.name, contact=contact)
    (target / FACTS_FILE).write_bytes(changed.to_json())
    return target


def main() -> None:
    """Print the table."""
    chosen = options(__doc__ or "")
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        data = place / "data"
        count = len(episodes(data, generated=3, copies=4 if chosen.quick else 60))
        size = sum(file.stat().st_size for file in data.glob("ep_*/*")) / count
        taken: dict[str, float] = {}
        for workers in (1, 2):
            began, busy = time.monotonic(), time.process_time()
            done = convert([data], place / f"store_{workers}", workers=workers)
            taken[f"{workers}"] = time.monotonic() - began
            if workers == 1:
                taken["processor"] = time.process_time() - busy
            if done.rows != count:
                raise SystemExit(f"expected {count} rows, got {done}")
        began = time.monotonic()
        convert([data], place / "store_1")
        again = time.monotonic() - began
        files = (place / "store_1").glob("shard_*/*")
        row = sum(file.stat().st_size for file in files) / count
    rate = {name: count / seconds for name, seconds in taken.items()}
    tell(
        f"Bags to a training store, {count} episodes of {size / 1e6:.2f} MB",
        [
            ("one worker, processor time", f"{rate['processor']:.1f} episodes/s", ">= 20"),
            ("one worker, clock", f"{rate['1']:.1f} episodes/s", ""),
            ("two workers, clock", f"{rate['2']:.1f} episodes/s", ""),
            (
                "two workers / one, clock",
                f"{rate['2'] / rate['1']:.2f}",
                ">= 1.8 on two free processors",
            ),
            ("nothing new, clock", f"{again / count * 1e3:.2f} ms an episode", ""),
            ("size of a row", f"{row / 1e3:.0f} kB", ""),
        ],
        figures={"episodes": count, "seconds": taken, "row_bytes": row, "nothing_new_s": again},
        file=chosen.json,
    )


if __name__ == "__main__":
    main()
