"""`episodes ls`, `find`, `check` and `show`: look at what was recorded."""

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro
from pydantic_core import to_json

from tiltbot_ros.commands.arguments import NAME, Flag, Folder, Json, Where
from tiltbot_ros.commands.listing import for_scripts, list_folder
from tiltbot_ros.commands.output import print_json, screen
from tiltbot_ros.commands.usage import UsageError
from tiltbot_ros.commands.which import Which
from tiltbot_ros.episodes.catalogue import each_episode


@dataclass(frozen=True, kw_only=True)
class Ls:
    """List a data folder: object, time, contact, tilt, size, verdict; totals by object.

    Reads only episode.json, never a bag.
    """

    folder: Folder
    """folder with episodes"""
    object: Annotated[str | None, NAME] = None
    """only episodes of this object; '' for those without a name"""
    flagged: Flag = False
    """only those that the verdict holds something against, and unreadable ones"""
    clean: Flag = False
    """only clean ones"""
    trash: Flag = False
    """those that were discarded instead"""
    as_json: Json = False

    def run(self) -> int:
        """Print the listing."""
        if self.flagged and self.clean:
            raise UsageError("expected --flagged or --clean, got both: leave both out for all")
        only = True if self.clean else False if self.flagged else None
        return list_folder(
            self.folder,
            object_name=self.object,
            clean=only,
            trashed=self.trash,
            as_json=self.as_json,
        )


@dataclass(frozen=True, kw_only=True)
class Find:
    """Print the paths of the episodes that fit, one a line, for pipes.

    `tiltbot episodes find data --problem continuity | tiltbot episodes discard -`
    """

    folders: Annotated[
        tuple[Path, ...],
        tyro.conf.Positional,
        tyro.conf.arg(metavar="DIR...", help_behavior_hint="(required)"),
    ]
    """folders with episodes"""
    which: Which = field(default_factory=Which)
    trash: Flag = False
    """among those that were discarded instead"""
    ids: Flag = False
    """print ids instead of paths"""
    count: Flag = False
    """print how many they are instead"""
    as_json: Annotated[
        bool,
        tyro.conf.arg(name="json", help="print a line of JSON for each", help_behavior_hint=""),
    ] = False

    def run(self) -> int:
        """Print them."""
        if not self.folders:
            raise UsageError("expected one folder with episodes or more, got none")
        if self.ids + self.count + self.as_json > 1:
            raise UsageError("expected one of --ids, --count and --json at most")
        selection = self.which.selection()
        number = 0
        for folder in self.folders:
            for entry in selection.of(each_episode(folder.expanduser(), trashed=self.trash)):
                number += 1
                if self.as_json:
                    line = to_json(for_scripts(entry), inf_nan_mode="null").decode()
                else:
                    line = entry.path.name if self.ids else str(entry.path)
                if not self.count:
                    sys.stdout.write(f"{line}\n")
        if self.count:
            sys.stdout.write(f"{number}\n")
        return 0


@dataclass(frozen=True, kw_only=True)
class Check:
    """Judge every bag again from its messages; exit status 1 if anything is wrong.

    Verifies size and checksum, reads every message, gives today's verdict and
    compares it with the recorder's. Goes on after a bad one.
    """

    where: Where
    """a folder with episodes, or one episode"""
    as_json: Json = False

    def run(self) -> int:
        """Check and report."""
        from tiltbot_ros.commands.checking import check_at  # noqa: PLC0415 - slow to import

        return check_at(self.where, as_json=self.as_json)


@dataclass(frozen=True, kw_only=True)
class Show:
    """Draw an episode as a picture: what was seen, heard and commanded.

    Frames before and after with the action's arrow and the tracked locations,
    waveform and spectrogram of the microphones, angles of the tray, and the
    contact at t = 0.
    """

    where: Where
    """an episode, or a folder, which means its last episode"""
    out: Annotated[Path | None, tyro.conf.arg(metavar="FILE.png", help_behavior_hint="")] = None
    """the picture; by default EPISODE.png in the working directory (also .pdf, .svg, .jpg)"""
    as_json: Json = False

    def run(self) -> int:
        """Draw, and print where the picture is."""
        from tiltbot_ros.commands.places import last_episode  # noqa: PLC0415 - slow to import
        from tiltbot_ros.pictures.episode import draw_episode  # noqa: PLC0415 - as above

        episode = last_episode(self.where)
        out = self.out if self.out is not None else Path(f"{episode.resolve().name}.png")
        picture = draw_episode(episode, out.expanduser())
        if self.as_json:
            print_json({"episode": episode.resolve(), "picture": picture.resolve()})
        else:
            screen().print(str(picture), markup=False)
        return 0
