"""What generated episodes cost, everything included: time, processor time, bytes.

Every sixth object of the catalogue, as `tiltbot generate` makes them without
`--video`, by one worker and by two. Processor time is that of all processes
together. What is predicted for the paper's 15,000 episodes is that many times
the processor time of one, on two cores that nothing else uses; batches of the
verb are twice as long as those here, which costs it less. Then one object
batch by batch: the cost of an episode must not grow with those before it.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import resource
import shutil
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.report import options, tell
from tiltbot_ros.generating.plan import generated_rig, make_plan
from tiltbot_ros.generating.progress import GeneratedFolder
from tiltbot_ros.generating.workers import generate
from tiltbot_ros.rigs import load_rig
from tiltbot_ros.worlds.objects import ObjectCatalogue

EVERY = 6
PAPER = 15_000
MINUTES, MEGABYTES, TIMES = 90.0, 1.6, 1.8
CORES = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """One generation.

    Attributes:
        workers: processes at a time.
        episodes: made; `clean` of them without a flaw.
        clean: of the episodes.
        tilts: carried out.
        wall_s, processor_s: spent [s].
        bytes: of all files of the episodes [B].
        batches_s: processor time of each batch [s].
    """

    workers: int
    episodes: int
    clean: int
    tilts: int
    wall_s: float
    processor_s: float
    bytes: int
    batches_s: tuple[float, ...]

    @property
    def each_s(self) -> float:
        """Processor time of an episode [s]."""
        return self.processor_s / self.episodes


def spent_s() -> float:
    """Return the processor time of this process and of those that it has waited for [s]."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def run(objects: tuple[str, ...], *, episodes: int, batch: int, workers: int) -> Run:
    """Generate into a folder that is removed again."""
    rig = generated_rig(load_rig("sim"))
    plan = make_plan(rig, objects, episodes=episodes, batch_episodes=batch)
    place = Path(tempfile.mkdtemp(prefix="tiltbot-generate-"))
    try:
        wall, processor = time.perf_counter(), spent_s()
        folder = GeneratedFolder(place / "data", plan)
        try:
            reports = generate(folder, rig, workers=workers)
        finally:
            folder.close()
        wall, processor = time.perf_counter() - wall, spent_s() - processor
        size = sum(file.stat().st_size for file in (place / "data").glob("ep_*/*"))
    finally:
        shutil.rmtree(place)
    return Run(
        workers=workers,
        episodes=sum(len(report.episodes) for report in reports),
        clean=sum(report.clean for report in reports),
        tilts=sum(report.tilts for report in reports),
        wall_s=round(wall, 2),
        processor_s=round(processor, 2),
        bytes=size,
        batches_s=tuple(report.processor_s for report in reports),
    )


def main() -> None:
    """Measure, print a table, and write JSON where asked."""
    arguments = options(__doc__ or "")
    names = ObjectCatalogue.load().names[:: 30 if arguments.quick else EVERY]
    episodes, batches = (2, 2) if arguments.quick else (25, 6)
    one, two = (run(names, episodes=episodes, batch=episodes, workers=n) for n in (1, CORES))
    long = run(("025_mug",), episodes=batches * episodes, batch=episodes, workers=1)
    third = max(1, batches // 3)
    first, last = (
        sum(part) / (third * episodes) for part in (long.batches_s[:third], long.batches_s[-third:])
    )
    predicted = PAPER * two.each_s / CORES / 60.0
    # In a short run, starting the workers and learning the empty tray weigh more than all else.
    judged = not arguments.quick
    rates = [f"{part.episodes / part.wall_s * 60:.0f} with {part.workers}" for part in (one, two)]
    rows = [
        (
            f"processor time an episode, {two.workers} workers",
            f"{two.each_s:.2f} s ({one.each_s:.2f} s with 1)",
            f"<= {MINUTES * 60 * CORES / PAPER:.2f} s" if judged else "",
        ),
        (
            f"so {PAPER:,} on {CORES} cores",
            f"{predicted:.0f} min",
            f"<= {MINUTES:.0f} min" if judged else "",
        ),
        ("episodes a minute by the wall clock", ", ".join(rates), ""),
        (
            f"{two.workers} workers over 1, load average {os.getloadavg()[0]:.1f}",
            f"{one.wall_s / two.wall_s:.2f}",
            f">= {TIMES} where {CORES} cores are free" if judged else "",
        ),
        ("size of an episode", f"{one.bytes / one.episodes / 1e6:.2f} MB", f"<= {MEGABYTES} MB"),
        ("tilts an episode", f"{one.tilts / one.episodes:.2f}", ""),
        ("clean", f"{one.clean} of {one.episodes}", "all"),
        (
            f"first and last {third * episodes} of {long.episodes} episodes of one object",
            f"{first:.2f} and {last:.2f} s an episode",
            "the same",
        ),
    ]
    tell(
        "generated episodes, bags written",
        rows,
        figures={
            "objects": names,
            "one worker": asdict(one),
            "two workers": asdict(two),
            "one object": asdict(long),
            "predicted_minutes": round(predicted, 1),
        },
        file=arguments.json,
    )


if __name__ == "__main__":
    main()
