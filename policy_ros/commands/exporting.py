"""The verb `export`: episodes, made into the formats of others."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from policy_ros.commands.needing import needing
from tiltbot_ros.commands.output import print_json, remarks, screen
from tiltbot_ros.commands.progress import counting_bar
from tiltbot_ros.commands.usage import UsageError
from tiltbot_ros.wording import counted

if TYPE_CHECKING:
    from policy_ros.data.exporters.groups import ExportReport, Format

_Data = Annotated[
    tuple[Path, ...],
    tyro.conf.Positional,
    tyro.conf.arg(metavar="DATA...", help_behavior_hint="(required)"),
]
_Out = Annotated[Path, tyro.conf.arg(metavar="DIR")]
_Flag = Annotated[bool, tyro.conf.arg(help_behavior_hint="")]
_Text = Annotated[str, tyro.conf.arg(metavar="TEXT", help_behavior_hint="")]
_Names = tyro.conf.UseAppendAction[
    Annotated[tuple[str, ...], tyro.conf.arg(metavar="NAME", help_behavior_hint="")]
]
_Json = Annotated[
    bool, tyro.conf.arg(name="json", help="print JSON, for scripts", help_behavior_hint="")
]


@dataclass(frozen=True, kw_only=True)
class LeRobot:
    """A LeRobot dataset (v3.0): Parquet tables and MP4 videos, sound with every frame."""

    data: _Data
    """folders of episodes, or single episodes"""
    out: _Out
    """folder of the dataset; it must not exist"""
    object: _Names = ()
    """only episodes of this object; may be repeated"""
    outcome: _Text = ""
    """only episodes with this outcome"""
    flagged: _Flag = False
    """also those that the verdict holds something against and nobody kept"""
    audio_hz: int = 0
    """rate of the sound; 0: as it was recorded"""
    codec: Literal["h264", "libsvtav1"] = "h264"
    """of the videos"""
    crf: int = 20
    """of the videos: smaller is better and larger"""
    as_json: _Json = False

    def run(self) -> int:
        """Export, check what was written, and report."""
        with needing("learn", "video"):
            from policy_ros.data.exporters import lerobot  # noqa: PLC0415 - slow
            from policy_ros.data.exporters.lerobot_check import check_lerobot  # noqa: PLC0415
        from tiltbot_ros.settings import checked  # noqa: PLC0415

        settings = checked(
            lerobot.LeRobotSettings,
            {"audio_hz": self.audio_hz, "codec": self.codec, "crf": self.crf},
        )
        report, unreadable = _export(lerobot.LeRobotFormat(settings), self)
        problems = check_lerobot(report.out)
        return _tell(report, unreadable, problems, as_json=self.as_json)


@dataclass(frozen=True, kw_only=True)
class WebDataset:
    """WebDataset shards: tar files with FLAC, JPEG, NPY and JSON of each episode."""

    data: _Data
    """folders of episodes, or single episodes"""
    out: _Out
    """folder of the shards; it must not exist"""
    object: _Names = ()
    """only episodes of this object; may be repeated"""
    outcome: _Text = ""
    """only episodes with this outcome"""
    flagged: _Flag = False
    """also those that the verdict holds something against and nobody kept"""
    shard_mb: int = 200
    """size of a shard, about"""
    as_json: _Json = False

    def run(self) -> int:
        """Export, and report."""
        from policy_ros.data.exporters import webdataset  # noqa: PLC0415 - slow
        from tiltbot_ros.settings import checked  # noqa: PLC0415

        settings = checked(webdataset.WebDatasetSettings, {"shard_mb": self.shard_mb})
        report, unreadable = _export(webdataset.WebDatasetFormat(settings), self)
        return _tell(report, unreadable, (), as_json=self.as_json)


@dataclass(frozen=True, kw_only=True)
class Parquet:
    """Plain Parquet tables: a row an episode, sound and pictures as bytes."""

    data: _Data
    """folders of episodes, or single episodes"""
    out: _Out
    """folder of the tables; it must not exist"""
    object: _Names = ()
    """only episodes of this object; may be repeated"""
    outcome: _Text = ""
    """only episodes with this outcome"""
    flagged: _Flag = False
    """also those that the verdict holds something against and nobody kept"""
    audio: Literal["flac", "raw"] = "flac"
    """sound as FLAC, or as interleaved integers"""
    file_mb: int = 200
    """size of a file, about"""
    as_json: _Json = False

    def run(self) -> int:
        """Export, and report."""
        with needing("learn"):
            from policy_ros.data.exporters import parquet  # noqa: PLC0415 - slow
        from tiltbot_ros.settings import checked  # noqa: PLC0415

        settings = checked(parquet.ParquetSettings, {"audio": self.audio, "file_mb": self.file_mb})
        report, unreadable = _export(parquet.ParquetFormat(settings), self)
        return _tell(report, unreadable, (), as_json=self.as_json)


@dataclass(frozen=True, kw_only=True)
class Rerun:
    """One episode as a Rerun recording: `rerun FILE.rrd` shows it (extra `rerun`)."""

    episode: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="DIR|EPISODE")]
    """an episode, or a folder, which means its last episode"""
    out: Annotated[Path | None, tyro.conf.arg(metavar="FILE.rrd", help_behavior_hint="")] = None
    """the file; by default EPISODE.rrd in the working directory"""

    def run(self) -> int:
        """Export, and print where it is."""
        from policy_ros.data.exporters.rrd import export_rrd  # noqa: PLC0415 - slow
        from tiltbot_ros.commands.places import last_episode  # noqa: PLC0415
        from tiltbot_ros.episodes.reader import Episode  # noqa: PLC0415

        path = last_episode(self.episode)
        out = self.out if self.out is not None else Path(f"{path.resolve().name}.rrd")
        export_rrd(Episode.open(path), out.expanduser())
        screen().print(str(out), markup=False)
        return 0


@dataclass(frozen=True, kw_only=True)
class Check:
    """Check any LeRobot dataset against its published schema; exit status 1 if it does not fit."""

    dataset: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="DIR")]
    """folder of the dataset"""
    as_json: _Json = False

    def run(self) -> int:
        """Check, and report."""
        with needing("learn", "video"):
            from policy_ros.data.exporters.lerobot_check import (  # noqa: PLC0415 - slow
                check_lerobot,
            )

        problems = check_lerobot(self.dataset)
        if self.as_json:
            print_json({"dataset": self.dataset.resolve(), "problems": problems})
        else:
            for problem in problems:
                screen().print(problem, markup=False)
            if not problems:
                screen().print(f"{self.dataset}: a LeRobot dataset v3.0", markup=False)
        return 1 if problems else 0


def export_data(
    command: Annotated[
        Annotated[LeRobot, tyro.conf.subcommand("lerobot")]
        | Annotated[WebDataset, tyro.conf.subcommand("webdataset")]
        | Annotated[Parquet, tyro.conf.subcommand("parquet")]
        | Annotated[Rerun, tyro.conf.subcommand("rerun")]
        | Annotated[Check, tyro.conf.subcommand("check")],
        tyro.conf.arg(name=""),
    ],
) -> int:
    """Export episodes to LeRobot, WebDataset, Parquet or Rerun.

    An export appears under its name when it is whole, and is never changed
    again. After Ctrl-C or a kill the same command goes on behind the last
    whole file. Episodes that do not fit are told and left out; the exit status
    is then 1.
    """
    return command.run()


def _export(
    target: "Format", command: LeRobot | WebDataset | Parquet
) -> "tuple[ExportReport, tuple[str, ...]]":
    from policy_ros.data.exporters.groups import export  # noqa: PLC0415 - slow
    from policy_ros.data.exporters.selection import select_episodes  # noqa: PLC0415

    if not command.data:
        raise UsageError("expected one folder of episodes or more, got none")
    chosen = select_episodes(
        command.data,
        objects=command.object,
        outcome=command.outcome,
        flagged=command.flagged,
    )
    console = remarks()
    try:
        with counting_bar("episodes", console) as bar:
            task = bar.add_task("", total=len(chosen.episodes))
            report = export(
                target,
                chosen.episodes,
                command.out,
                tell=lambda count: bar.update(task, completed=count),
            )
    except KeyboardInterrupt:
        console.print(
            f"stopped; whole files are kept in {command.out}.partial, the same command goes on",
            markup=False,
            soft_wrap=True,
        )
        raise
    return report, chosen.unreadable


def _tell(
    report: "ExportReport",
    unreadable: tuple[str, ...],
    problems: tuple[str, ...],
    *,
    as_json: bool,
) -> int:
    if as_json:
        print_json(
            {
                "out": report.out.resolve(),
                "episodes": report.exported,
                "left_out": [one.model_dump() for one in report.left_out],
                "unreadable": unreadable,
                "problems": problems,
            }
        )
    else:
        asides = remarks()
        for one in report.left_out:
            asides.print(f"LEFT OUT: {one.reason}", markup=False, soft_wrap=True)
        for text in (*unreadable, *problems):
            asides.print(text, markup=False, soft_wrap=True)
        left = len(report.left_out) + len(unreadable)
        screen().print(
            f"{counted(report.exported, 'episode')} in {report.out}"
            + (f"; {counted(left, 'episode')} left out" if left else ""),
            markup=False,
        )
    return 1 if report.left_out or unreadable or problems else 0
