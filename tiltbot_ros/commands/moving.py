"""`episodes merge` and `export`: bring episodes together, give them to others."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import tyro
from rich.progress import Progress, TextColumn

from tiltbot_ros.commands.arguments import Flag, Json, given
from tiltbot_ros.commands.output import print_json, remarks, screen
from tiltbot_ros.commands.progress import counting_bar
from tiltbot_ros.commands.usage import UsageError
from tiltbot_ros.commands.which import Which
from tiltbot_ros.errors import EpisodeError
from tiltbot_ros.wording import counted, size

_Out = Annotated[Path, tyro.conf.arg(metavar="DIR")]
_Folders = Annotated[
    tuple[Path, ...],
    tyro.conf.Positional,
    tyro.conf.arg(metavar="DIR...", help_behavior_hint="(required)"),
]
_SHOWN = 8


@dataclass(frozen=True, kw_only=True)
class Merge:
    """Take the episodes of several folders into one, under new numbers.

    The folders stay as they are; bags are linked where the disk can, so that
    they take no room twice. Where each came from stands in its episode.json.
    A bag that is there already is not taken twice. Started again after Ctrl-C
    or a kill, it goes on where it was.
    """

    folders: _Folders
    """folders with episodes"""
    out: _Out
    """folder that takes them"""
    which: Which = field(default_factory=Which)
    copy: Flag = False
    """copy bags, do not link them"""
    dry_run: Flag = False
    """tell what would be taken, take nothing"""
    as_json: Json = False

    def run(self) -> int:
        """Merge; 1 when an episode was refused."""
        from tiltbot_ros.episodes.merging import (  # noqa: PLC0415 - reads bags
            Duplicate,
            Merged,
            Outcome,
            Refused,
            merge,
        )

        if not self.folders:
            raise UsageError("expected one folder with episodes or more, got none")
        outcomes: list[Outcome] = []
        console, out = remarks(), self.out.expanduser()
        with Progress(
            TextColumn("{task.description}"), console=console, disable=not console.is_terminal
        ) as bar:
            task = bar.add_task("merging", total=None)

            def tell(outcome: Outcome) -> None:
                outcomes.append(outcome)
                bar.update(task, description=f"merging: {counted(len(outcomes), 'episode')}")

            merge(
                [folder.expanduser() for folder in self.folders],
                out,
                selection=self.which.selection(),
                copy=self.copy,
                dry=self.dry_run,
                tell=tell,
            )
        refused = [outcome for outcome in outcomes if isinstance(outcome, Refused)]
        if self.as_json:
            print_json(
                {
                    "out": out.resolve(),
                    "merged": [o for o in outcomes if isinstance(o, Merged)],
                    "duplicates": [o for o in outcomes if isinstance(o, Duplicate)],
                    "refused": refused,
                }
            )
            return 1 if refused else 0
        told = screen()
        twice = [o for o in outcomes if isinstance(o, Duplicate) and not o.again]
        lines = [f"{one.source}: {one.reason}" for one in refused]
        lines += [f"{one.source}: the same bag as {one.of}" for one in twice]
        for line in lines[:_SHOWN]:
            told.print(line, markup=False)
        if len(lines) > _SHOWN:
            told.print(f"and {len(lines) - _SHOWN} more; --json tells all", markup=False)
        kinds = Counter(type(outcome) for outcome in outcomes)
        again = kinds[Duplicate] - len(twice)
        told.print(
            f"{counted(kinds[Merged], 'episode')} {'would be ' if self.dry_run else ''}taken into "
            f"{out}; {again} were there before, {len(twice)} are duplicates, "
            f"{len(refused)} refused",
            markup=False,
        )
        return 1 if refused else 0


@dataclass(frozen=True, kw_only=True)
class Export:
    """Write episodes as plain files: sound as WAV or FLAC, pictures as PNG, tables as CSV.

    For whoever has neither ROS nor tiltbot. A README.txt beside them says what
    is what.
    """

    places: Annotated[
        tuple[Path, ...],
        tyro.conf.Positional,
        tyro.conf.arg(metavar="DIR|EPISODE...", help_behavior_hint="(required)"),
    ]
    """folders with episodes, or episodes; - reads paths from standard input"""
    out: Annotated[Path, tyro.conf.arg(metavar="DIR|FILE.tar.gz")]
    """new folder, or archive (.tar, .tar.gz, .tgz)"""
    which: Which = field(default_factory=Which)
    sound: Literal["wav", "flac"] = "wav"
    """format of the sound"""
    frames: Literal["moments", "all", "none"] = "moments"
    """pictures before and after the tilt, all pictures, or none"""
    bags: Flag = False
    """the bags themselves, too"""
    as_json: Json = False

    def run(self) -> int:
        """Export; 1 when an episode cannot be read."""
        from tiltbot_ros.commands.places import listed_at  # noqa: PLC0415 - slow to import
        from tiltbot_ros.episodes.exporting import ExportOptions  # noqa: PLC0415 - as above
        from tiltbot_ros.episodes.giving import export  # noqa: PLC0415 - as above

        selection = self.which.selection()
        entries = [
            entry for place in given(self.places) for entry in selection.of(listed_at(place))
        ]
        if not entries:
            raise EpisodeError("expected episodes to export, found none that fit")
        console = remarks()
        with counting_bar("exporting", console) as bar:
            task = bar.add_task("", total=len(entries))
            made = export(
                entries,
                self.out.expanduser(),
                ExportOptions(sound=self.sound, frames=self.frames, bags=self.bags),
                tell=lambda done: bar.update(task, completed=done),
            )
        if self.as_json:
            print_json(made)
            return 1 if made.refused else 0
        told = screen()
        for path, reason in made.refused[:_SHOWN]:
            told.print(f"{path.name}: {reason}", markup=False)
        if len(made.refused) > _SHOWN:
            told.print(f"and {len(made.refused) - _SHOWN} more; --json tells all", markup=False)
        told.print(
            f"{counted(len(made.episodes), 'episode')} in {made.out}, {size(made.bytes)}",
            markup=False,
        )
        return 1 if made.refused else 0
