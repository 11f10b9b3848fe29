"""Collect episodes: start the graph of a rig, tilt, and show what comes in."""

import os
import time
from pathlib import Path
from typing import Annotated

import tyro
from rich.console import Console

from tiltbot_ros.bringup import collect_graph, object_names
from tiltbot_ros.errors import ConfigError
from tiltbot_ros.rigs import load_rig

DEFAULT_OBJECTS = ("005_tomato_soup_can", "025_mug")
DEFAULT_EPISODES = 5


def collect(
    *,
    rig: str = "sim",
    object: Annotated[  # noqa: A002 - the option's name
        tyro.conf.UseAppendAction[tuple[str, ...]], tyro.conf.arg(metavar="NAME")
    ] = (),
    episodes: int | None = None,
    minutes: float | None = None,
    out: Path = Path("data"),
    dry_run: bool = False,
    namespace: str = "",
    plain: bool = False,
) -> int:
    """Collect contact-triggered episodes, one object after another.

    Without options: five clean episodes of each of two objects on the
    simulated rig. Ctrl-C ends cleanly and keeps what is finished.

    Args:
        rig: name of a rig (config/rigs) or the path of a YAML file.
        object: object in the tray; repeat it for more than one.
        episodes: stop after so many clean episodes of each object.
        minutes: stop after so many minutes of each object.
        out: folder that the episodes go to; it is continued when it exists.
        dry_run: tell the tray nothing and record nothing; tray/reference shows what it would
            be told, and a tilt counts for an episode.
        namespace: of all nodes and topics, for two rigs side by side.
        plain: print lines instead of the live panel.

    Returns:
        0 when every object was collected, 130 after Ctrl-C, 1 otherwise.
    """
    console = Console()
    chosen = load_rig(rig)
    names = object_names(list(object or DEFAULT_OBJECTS), chosen)
    if (episodes is not None and episodes < 1) or (minutes is not None and not minutes > 0):
        raise ConfigError(
            f"expected --episodes and --minutes above 0, got {episodes} and {minutes}"
        )
    if episodes is None and minutes is None:
        episodes = DEFAULT_EPISODES
    specs = collect_graph(chosen, out=out, dry_run=dry_run)

    # The graph's client needs ROS 2; checks of the options must not wait for it.
    from tiltbot_ros.commands.collect_session import CollectSession  # noqa: PLC0415

    stamp = time.strftime("%Y%m%d-%H%M%S")
    with CollectSession(
        specs,
        namespace=namespace,
        log_directory=out / "logs" / stamp,
        console=console,
        live=console.is_terminal and not plain,
        title=f"tiltbot collect: rig {chosen.name} into {out}",
    ) as session:
        done = session.collect(names, episodes=episodes or 0, minutes=minutes or 0.0)
    if dry_run:
        console.print("\ndry run: nothing was sent to the tray, and nothing recorded")
    else:
        _summary(console, out, clean=session.clean, flagged=session.flagged, last=session.last)
    if session.interrupted:
        return 130
    return 0 if done else 1


def _summary(console: Console, out: Path, *, clean: int, flagged: int, last: str) -> None:
    console.print(f"\n{clean} clean and {flagged} flagged episodes in [bold]{out}[/]")
    if not last:
        return
    console.print(f"look at one:   {_program()} episodes show {out / last}")
    console.print(f"list them:     {_program()} episodes ls {out}")


def _program() -> str:
    """What the user types before a verb; the `run` script names itself."""
    return os.environ.get("TILTBOT_PROGRAM", "tiltbot")
