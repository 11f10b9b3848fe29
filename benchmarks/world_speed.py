"""How fast the simulated tray runs: physics and sound, no rendering, one core.

Every row is the same tilts of the same objects in one process; the ratio is
simulated time over processor time (and over wall time, which a busy machine
lengthens). Ten-millisecond blocks are how a live rig runs, whole tilts are
how recordings are generated.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import itertools
import time
from dataclasses import asdict, dataclass

from benchmarks.report import options, tell
from tiltbot_ros.arms.tilts import RandomTilts, TiltMotion, TiltSettings
from tiltbot_ros.worlds.recording import simulate
from tiltbot_ros.worlds.tray import TrayWorld
from tiltbot_ros.worlds.tray_model import TraySettings

OBJECTS = (
    "red_cube",
    "005_tomato_soup_can",
    "013_apple",
    "025_mug",
    "043_phillips_screwdriver",
    "glass_jar",
    "steel_bottle",
    "tape_roll",
)
TARGET = 20.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One measured case.

    Attributes:
        case: what ran.
        step_ms: physics step [ms].
        simulated_s: simulated time [s].
        processor_s: processor time of this process [s].
        wall_s: wall time [s].
        times_real_time: simulated over processor time.
        times_real_time_wall: simulated over wall time.
    """

    case: str
    step_ms: float
    simulated_s: float
    processor_s: float
    wall_s: float
    times_real_time: float
    times_real_time_wall: float


def tilted(settings: TraySettings, name: str, tilts: int, *, block: int | None) -> float:
    """Run random tilts of one object; return the simulated time [s]."""
    world = TrayWorld(settings, seed=1)
    world.place(name)
    actions = itertools.islice(RandomTilts(1, TiltSettings()), tilts)
    rate = settings.sample_rate_hz
    if block is None:
        return len(simulate(world, actions).samples) / rate
    motion_settings = TiltSettings()
    for action in actions:
        motion = TiltMotion(action, motion_settings)
        total_s = motion.duration_s + motion_settings.rest_s
        for index in range(int(total_s * rate / block)):
            world.command(motion.reference(index * block / rate))
            world.advance(block)
    return world.frame / rate


def measure(case: str, step_s: float, tilts: int, block: int | None) -> Row:
    """Run one case over all objects."""
    settings = TraySettings(step_s=step_s)
    wall, processor, simulated = time.perf_counter(), time.process_time(), 0.0
    for name in OBJECTS:
        simulated += tilted(settings, name, tilts, block=block)
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    return Row(
        case=case,
        step_ms=round(settings.exact_step_s * 1e3, 4),
        simulated_s=round(simulated, 2),
        processor_s=round(processor, 3),
        wall_s=round(wall, 3),
        times_real_time=round(simulated / processor, 1),
        times_real_time_wall=round(simulated / wall, 1),
    )


def main() -> None:
    """Measure, print a table, and write JSON where asked."""
    arguments = options(__doc__ or "")
    tilts = 1 if arguments.quick else 3
    step = TraySettings().step_s
    measure("warm-up", step, 1, None)
    cases = [("whole tilts", step, None), ("10 ms blocks", step, 441)]
    if not arguments.quick:
        cases += [
            (f"whole tilts, {other * 1e3:g} ms", other, None) for other in (5e-4, 75e-5, 15e-4)
        ]
    rows = [measure(case, step_s, tilts, block) for case, step_s, block in cases]
    tell(
        "physics and sound, one core, x real time",
        [
            (
                row.case,
                f"{row.times_real_time:.1f} (by the wall clock {row.times_real_time_wall:.1f})",
                f">= {TARGET:g}" if row is rows[0] else "",
            )
            for row in rows
        ],
        figures={"target": TARGET, "rows": [asdict(row) for row in rows]},
        file=arguments.json,
    )


if __name__ == "__main__":
    main()
