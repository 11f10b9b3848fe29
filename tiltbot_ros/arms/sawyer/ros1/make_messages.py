"""Make the Python of intera_core_msgs and intera_motion_msgs without catkin.

`/usr/bin/python3 make_messages.py INTERA_COMMON OUT` needs Debian's python3-genpy,
python3-genmsg and the message packages that these build on (ros-std-msgs,
ros-geometry-msgs, ros-sensor-msgs, ros-actionlib-msgs, ros-trajectory-msgs). Where
ROS 1 comes with catkin, `catkin_make` does the same.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path

PACKAGES = ("intera_core_msgs", "intera_motion_msgs")
SHARES = ("/usr/share", "/opt/ros/noetic/share")


def action_messages(file: Path, out: Path) -> None:
    """Write the seven messages of an action, as actionlib_msgs' genaction does."""
    goal, result, feedback = file.read_text().split("\n---\n")
    name = file.stem
    header = "std_msgs/Header header\n"
    identity = "actionlib_msgs/GoalID goal_id\n"
    status = "actionlib_msgs/GoalStatus status\n"
    texts = {
        f"{name}Goal": goal,
        f"{name}Result": result,
        f"{name}Feedback": feedback,
        f"{name}ActionGoal": header + identity + f"{name}Goal goal\n",
        f"{name}ActionResult": header + status + f"{name}Result result\n",
        f"{name}ActionFeedback": header + status + f"{name}Feedback feedback\n",
        f"{name}Action": f"{name}ActionGoal action_goal\n{name}ActionResult action_result\n"
        f"{name}ActionFeedback action_feedback\n",
    }
    for message, text in texts.items():
        (out / f"{message}.msg").write_text(text)


def search_path(common: Path, work: Path) -> dict[str, list[str]]:
    """Return the folders with the definitions of every message package."""
    folders: dict[str, list[str]] = {}
    for share in SHARES:
        for found in sorted(Path(share).glob("*/msg")):
            folders.setdefault(found.parent.name, []).append(str(found))
    for package in PACKAGES:
        folders[package] = [str(common / package / "msg"), str(work / package)]
    return folders


def make(common: Path, out: Path) -> None:
    """Write both packages into `out`, to be put on the PYTHONPATH."""
    genpy = importlib.import_module("genpy.generator")
    write_modules = importlib.import_module("genpy.generate_initpy").write_modules
    work = out / ".actions"
    for package in PACKAGES:
        (work / package).mkdir(parents=True, exist_ok=True)
        for file in sorted((common / package / "action").glob("*.action")):
            action_messages(file, work / package)
    folders = search_path(common, work)
    for package in PACKAGES:
        target = out / package
        target.mkdir(exist_ok=True)
        kinds = {
            "msg": (genpy.MsgGenerator(), folders[package]),
            "srv": (genpy.SrvGenerator(), [str(common / package / "srv")]),
        }
        for kind, (generator, sources) in kinds.items():
            files = [str(file) for source in sources for file in Path(source).glob(f"*.{kind}")]
            if not files:
                continue
            module = target / kind
            module.mkdir(exist_ok=True)
            if generator.generate_messages(package, sorted(files), str(module), folders):
                sys.exit(f"{package}/{kind} could not be generated")
            write_modules(str(module))
        write_modules(str(target))


def main() -> None:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("common", type=Path, help="a clone of RethinkRobotics/intera_common")
    parser.add_argument("out", type=Path, help="folder for the Python's PYTHONPATH")
    chosen = parser.parse_args()
    if not (chosen.common / PACKAGES[0] / "msg").is_dir():
        sys.exit(f"expected a clone of intera_common in {chosen.common}")
    chosen.out.mkdir(parents=True, exist_ok=True)
    make(chosen.common, chosen.out)


if __name__ == "__main__":
    main()
