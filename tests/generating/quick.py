"""A simulated rig whose episodes take a fraction of a second; run as a script, it generates."""

import sys
from pathlib import Path

from tiltbot_ros.generating.plan import Plan, generated_rig, make_plan
from tiltbot_ros.generating.progress import GeneratedFolder
from tiltbot_ros.generating.workers import generate
from tiltbot_ros.rigs import Rig, load_rig

OBJECTS = ("025_mug", "005_tomato_soup_can")
SETTINGS = {
    "camera": {"width": 96, "height": 72},
    "tracker": {"learn_frames": 8, "decimation": 1},
    "recorder": {"before_s": 0.5, "after_s": 0.5},
    "tilt": {"ramp_s": 0.3, "hold_s": 0.8, "return_s": 0.4, "rest_s": 0.2, "min_length": 0.9},
    "collect": {"settle_s": 0.6},
    "writer": {"disk_floor_bytes": 0},
}


def rig(form: str = "moments") -> Rig:
    """Return the rig: with `moments` or `video` as the verb generates, or `raw` as it is live."""
    sim = load_rig("sim")
    short = sim.model_copy(
        update={
            group: getattr(sim, group).model_copy(update=values)
            for group, values in SETTINGS.items()
        }
    )
    return short if form == "raw" else generated_rig(short, video=form == "video")


def plan(form: str = "moments", **options) -> Plan:
    given = {"episodes": 2, "seed": 5, **options}
    return make_plan(rig(form), given.pop("objects", OBJECTS), **given)


def fill(out: Path, *, form: str = "moments", workers: int = 1, engine="local", **options):
    """Generate into a folder; return the reports."""
    folder = GeneratedFolder(out, plan(form, **options))
    try:
        return generate(folder, rig(form), workers=workers, engine=engine)
    finally:
        folder.close()


def content(out: Path) -> dict[str, bytes]:
    """Return every file of every episode."""
    files = sorted(out.glob("ep_*/*"))
    return {str(file.relative_to(out)): file.read_bytes() for file in files}


if __name__ == "__main__":
    try:
        fill(Path(sys.argv[1]))
    except KeyboardInterrupt:
        sys.exit(130)
