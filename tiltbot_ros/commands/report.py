"""The verb `report`: a data set as a page to look at and listen to."""

import os
import time
from pathlib import Path
from typing import Annotated, Literal

import tyro

from tiltbot_ros.commands.output import print_json, remarks, screen
from tiltbot_ros.commands.progress import counting_bar
from tiltbot_ros.commands.usage import UsageError
from tiltbot_ros.wording import counted, size

_Folder = Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="DIR")]
_Count = Annotated[int | None, tyro.conf.arg(metavar="INT", help_behavior_hint="")]
_SHOWN = 8


def report(
    folder: _Folder,
    *,
    out: Annotated[Path, tyro.conf.arg(metavar="DIR|FILE.html")] = Path("report"),
    title: Annotated[str, tyro.conf.arg(metavar="TEXT", help_behavior_hint="")] = "",
    gallery: int = 24,
    sound: Literal["ogg", "flac", "none"] = "ogg",
    workers: _Count = None,
    json: Annotated[bool, tyro.conf.arg(help_behavior_hint="")] = False,
) -> int:
    """Make a page of a data folder: charts, filters, galleries with pictures and sound.

    It opens in any browser, from the disk: nothing comes from the network. A
    gallery's episode takes about 70 kB. What cannot be read is named, in the
    page and here.

    Args:
        folder: folder with episodes
        out: folder for the page and the files beside it, or one file for everything
        title: name of the data set; by default that of its folder
        gallery: so many episodes of each object with pictures and sound; 0: none
        sound: the loudest microphone as small Ogg Vorbis, as lossless FLAC, or no sound
        workers: processes that make pictures and sound; as many as there are processors
        json: print JSON, for scripts

    Returns:
        0, or 1 when an episode could not be read.
    """
    if not 0 <= gallery <= 100_000 or (workers is not None and workers < 1):
        raise UsageError(
            f"expected --gallery 0 to 100000 and --workers above 0, got {gallery} and {workers}"
        )
    # They import SciPy and OpenCV; the checks above must not wait for them.
    from tiltbot_ros.reporting.report import make_report  # noqa: PLC0415
    from tiltbot_ros.reporting.settings import ReportSettings  # noqa: PLC0415

    began = time.monotonic()
    console = remarks()
    with counting_bar("pictures and sound", console) as bar:
        task = bar.add_task("", total=None)
        made = make_report(
            folder.expanduser(),
            out.expanduser(),
            ReportSettings(title=title, gallery=gallery, sound=sound),
            workers=workers or len(os.sched_getaffinity(0)),
            tell=lambda done, total: bar.update(task, completed=done, total=total),
        )
    if json:
        print_json(made)
        return 1 if made.unreadable else 0
    told = screen()
    for episode_id, reason in made.unreadable[:_SHOWN]:
        told.print(f"{episode_id}  unreadable: {reason}", markup=False)
    if len(made.unreadable) > _SHOWN:
        told.print(f"and {len(made.unreadable) - _SHOWN} more; --json tells all", markup=False)
    told.print(
        f"{made.page}: {counted(made.episodes, 'episode')}, {made.shown} with pictures and sound, "
        f"{size(made.page_bytes + made.media_bytes)}, in {time.monotonic() - began:.0f} s",
        markup=False,
    )
    return 1 if made.unreadable else 0
