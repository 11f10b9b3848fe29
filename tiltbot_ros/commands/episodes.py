"""The verb `episodes`: list, check, look at and sort what was recorded."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from tiltbot_ros.commands.checking import check_at
from tiltbot_ros.commands.listing import list_folder
from tiltbot_ros.commands.output import print_json, screen
from tiltbot_ros.commands.places import data_folder, last_episode, split_episode
from tiltbot_ros.commands.usage import UsageError
from tiltbot_ros.episodes import catalogue

_Folder = Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="DIR")]
_Where = Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="DIR|EPISODE")]
_Some = Annotated[
    tuple[Path, ...],
    tyro.conf.Positional,
    tyro.conf.arg(metavar="EPISODE...", help_behavior_hint="(required)"),
]
_Flag = Annotated[bool, tyro.conf.arg(help_behavior_hint="")]
_Text = tyro.conf.arg(metavar="TEXT", help_behavior_hint="")
_Name = tyro.conf.arg(metavar="NAME", help_behavior_hint="")
_Json = Annotated[
    bool, tyro.conf.arg(name="json", help="print JSON, for scripts", help_behavior_hint="")
]


@dataclass(frozen=True, kw_only=True)
class Ls:
    """List a data folder: object, time, contact, tilt, size, verdict; totals by object.

    Reads only episode.json, never a bag.
    """

    folder: _Folder
    """folder with episodes"""
    object: Annotated[str | None, _Name] = None
    """only episodes of this object; '' for those without a name"""
    flagged: _Flag = False
    """only those that the verdict holds something against, and unreadable ones"""
    clean: _Flag = False
    """only clean ones"""
    trash: _Flag = False
    """those that were discarded instead"""
    as_json: _Json = False

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
class Check:
    """Judge every bag again from its messages; exit status 1 if anything is wrong.

    Verifies size and checksum, reads every message, gives today's verdict and
    compares it with the recorder's. Goes on after a bad one.
    """

    where: _Where
    """a folder with episodes, or one episode"""
    as_json: _Json = False

    def run(self) -> int:
        """Check and report."""
        return check_at(self.where, as_json=self.as_json)


@dataclass(frozen=True, kw_only=True)
class Show:
    """Draw an episode as a picture: what was seen, heard and commanded.

    Frames before and after with the action's arrow and the tracked locations,
    waveform and spectrogram of the microphones, angles of the tray, and the
    contact at t = 0.
    """

    where: _Where
    """an episode, or a folder, which means its last episode"""
    out: Annotated[Path | None, tyro.conf.arg(metavar="FILE.png", help_behavior_hint="")] = None
    """the picture; by default EPISODE.png in the working directory (also .pdf, .svg, .jpg)"""
    as_json: _Json = False

    def run(self) -> int:
        """Draw, and print where the picture is."""
        from tiltbot_ros.pictures.episode import draw_episode  # noqa: PLC0415 - slow to import

        episode = last_episode(self.where)
        out = self.out if self.out is not None else Path(f"{episode.resolve().name}.png")
        picture = draw_episode(episode, out.expanduser())
        if self.as_json:
            print_json({"episode": episode.resolve(), "picture": picture.resolve()})
        else:
            screen().print(str(picture), markup=False)
        return 0


@dataclass(frozen=True, kw_only=True)
class Keep:
    """Mark episodes as wanted."""

    episodes: _Some
    """paths of episodes, such as data/ep_000042"""

    def run(self) -> int:
        """Mark them."""
        for path in self.episodes:
            folder, episode_id = split_episode(path)
            catalogue.keep(folder, episode_id)
            screen().print(f"{episode_id}: kept")
        return _some(self.episodes)


@dataclass(frozen=True, kw_only=True)
class Discard:
    """Move episodes to the trash of their folder; `restore` brings them back."""

    episodes: _Some
    """paths of episodes, such as data/ep_000042"""

    def run(self) -> int:
        """Move them."""
        for path in self.episodes:
            folder, episode_id = split_episode(path)
            target = catalogue.discard(folder, episode_id)
            screen().print(f"{episode_id}: moved to {target}", markup=False)
        return _some(self.episodes)


@dataclass(frozen=True, kw_only=True)
class Restore:
    """Bring discarded episodes back from the trash."""

    episodes: _Some
    """paths of episodes as they were, such as data/ep_000042, or as they are in the trash"""

    def run(self) -> int:
        """Move them back."""
        for path in self.episodes:
            folder, episode_id = split_episode(path)
            target = catalogue.restore(data_folder(folder), episode_id)
            screen().print(f"{episode_id}: back in {target.parent}", markup=False)
        return _some(self.episodes)


@dataclass(frozen=True, kw_only=True)
class Relabel:
    """Give episodes another object, outcome or labels of your own."""

    episodes: _Some
    """paths of episodes, such as data/ep_000042"""
    object: Annotated[str, _Name] = ""
    """what was in the tray"""
    outcome: Annotated[str, _Text] = ""
    """what came of it"""
    label: tyro.conf.UseAppendAction[
        Annotated[tuple[str, ...], tyro.conf.arg(metavar="NAME=VALUE", help_behavior_hint="")]
    ] = ()
    """a label of your own; may be repeated"""

    def run(self) -> int:
        """Change them."""
        labels = dict(_pair(text) for text in self.label)
        if not (self.object or self.outcome or labels):
            raise UsageError("expected --object, --outcome or --label, got none of them")
        for path in self.episodes:
            folder, episode_id = split_episode(path)
            facts = catalogue.relabel(
                folder, episode_id, object_name=self.object, outcome=self.outcome, labels=labels
            )
            told = [f"object {facts.object or '-'}", f"outcome {facts.outcome or '-'}"]
            told += [f"{name} = {value}" for name, value in facts.labels.items()]
            screen().print(f"{episode_id}: {', '.join(told)}", markup=False)
        return _some(self.episodes)


def episodes(
    command: Annotated[
        Annotated[Ls, tyro.conf.subcommand("ls")]
        | Annotated[Check, tyro.conf.subcommand("check")]
        | Annotated[Show, tyro.conf.subcommand("show")]
        | Annotated[Keep, tyro.conf.subcommand("keep")]
        | Annotated[Discard, tyro.conf.subcommand("discard")]
        | Annotated[Restore, tyro.conf.subcommand("restore")]
        | Annotated[Relabel, tyro.conf.subcommand("relabel")],
        tyro.conf.arg(name=""),
    ],
) -> int:
    """List, check, look at and sort recorded episodes."""
    return command.run()


def _some(paths: tuple[Path, ...]) -> int:
    if not paths:
        raise UsageError("expected one episode or more, such as data/ep_000042, got none")
    return 0


def _pair(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not (name and separator):
        raise UsageError(f"expected a label as NAME=VALUE, got '{text}'")
    return name, value
