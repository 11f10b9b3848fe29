"""The verb `import`: data from elsewhere, made into episodes."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from policy_ros.commands.needing import needing
from tiltbot_ros.commands.output import print_json, remarks, screen
from tiltbot_ros.commands.usage import UsageError
from tiltbot_ros.wording import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from policy_ros.data.importers.importing import ImportReport
    from policy_ros.data.importers.source import Source
    from tiltbot_ros.episodes.offline_session import CutOptions

_Source = Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="SOURCE")]
_Out = Annotated[Path | None, tyro.conf.arg(metavar="DIR", help_behavior_hint="")]
_Flag = Annotated[bool, tyro.conf.arg(help_behavior_hint="")]
_Json = Annotated[
    bool, tyro.conf.arg(name="json", help="print JSON, for scripts", help_behavior_hint="")
]
_Text = Annotated[str, tyro.conf.arg(metavar="NAME", help_behavior_hint="")]
_Key = Annotated[str, tyro.conf.arg(metavar="KEY", help_behavior_hint="")]
_Form = Literal["rotation_vector", "quaternion_xyzw", "quaternion_wxyz", "euler_xyz", "matrix"]
_Detector = Annotated[
    Literal["rig", "paper"],
    tyro.conf.arg(
        help="how contacts are heard: as a rig does, or by level alone as the paper's script "
        "(magnitude above 0.1, 2 s before and after, never overlapping)"
    ),
]


@dataclass(frozen=True, kw_only=True)
class Release:
    """The Tilt-Bot release: <object>/<experiment>/{rgb,depth,data,audio}.

    Also as its own script unpacks it. Pickles are read without running
    anything in them.
    """

    source: _Source
    """folder of the release, of one object, or of one experiment"""
    out: _Out = None
    """folder that the episodes go to; it is continued when it exists"""
    look: _Flag = False
    """only print what the first entry of each data.pkl holds, to choose the keys by"""
    tray_key: _Key = ""
    """where an entry has the tray's orientation, such as state/orientation"""
    tray_form: _Form = "rotation_vector"
    """how the orientation is written down"""
    tray_level: Literal["first", "identity"] = "first"
    """the tray is level in the first entry, or when it is not rotated"""
    tray_axes: str = "+x+y+z"
    """axes of the level tray in the frame of the orientation"""
    action_key: _Key = ""
    """where an entry has the commanded rotation vector; without: found in the tray's motion"""
    max_tilt_rad: float = 0.45
    """tilt of an action of 1"""
    depth_mm: float = 0.0
    """depth of one step of grey of the depth video; 0: leave the depth out"""
    channel_order: tuple[int, int, int, int] = (2, 0, 1, 3)
    """number of the sound file that is channel 0, 1, 2, 3"""
    detector: _Detector = "rig"
    as_json: _Json = False

    def run(self) -> int:
        """Import, and report."""
        with needing("video"):
            from policy_ros.data.importers.release import (  # noqa: PLC0415 - slow
                ReleaseSource,
                look,
            )
        from policy_ros.data.importers.release_names import find_experiments  # noqa: PLC0415
        from policy_ros.data.importers.release_settings import ReleaseSettings  # noqa: PLC0415
        from tiltbot_ros.settings import checked  # noqa: PLC0415

        settings = checked(
            ReleaseSettings,
            {
                "tray_key": self.tray_key,
                "tray_form": self.tray_form,
                "tray_level": self.tray_level,
                "tray_axes": self.tray_axes,
                "action_key": self.action_key,
                "max_tilt_rad": self.max_tilt_rad,
                "depth_mm": self.depth_mm,
                "channel_order": self.channel_order,
            },
        )
        experiments = find_experiments(self.source.expanduser())
        if self.look:
            for experiment in experiments:
                screen().print(f"{experiment.object}/{experiment.name}", markup=False)
                for line in look(experiment.path / "data" / "data.pkl", settings):
                    screen().print(f"  {line}", markup=False)
            return 0
        cut = _cut_options(
            rig="tiltbot-release", max_tilt_rad=self.max_tilt_rad, detector=self.detector
        )
        sources = [ReleaseSource(experiment, settings) for experiment in experiments]
        return _import(sources, self.out, cut, settings=settings.digest(), as_json=self.as_json)


@dataclass(frozen=True, kw_only=True)
class Bags:
    """Bags of another recorder: rosbag2 folders or MCAP files with our message types."""

    source: _Source
    """a bag, or a folder with bags in it"""
    out: _Out = None
    """folder that the episodes go to; it is continued when it exists"""
    topic: tyro.conf.UseAppendAction[
        Annotated[tuple[str, ...], tyro.conf.arg(metavar="OURS=/THEIRS", help_behavior_hint="")]
    ] = ()
    """a topic of the bags for one of ours, such as audio=/mics/raw; others are found by their
    names and types"""
    object: _Text = ""
    """what was in the tray"""
    object_by_folder: _Flag = False
    """instead: what the folder that a bag is in is called"""
    whole: _Flag = False
    """each bag is one interaction: make one episode of it, around its loudest contact"""
    told: _Flag = False
    """take the contacts of the bags' contact topic and hear none"""
    max_tilt_rad: float = 0.45
    """tilt of an action of 1"""
    detector: _Detector = "rig"
    as_json: _Json = False

    def run(self) -> int:
        """Import, and report."""
        from policy_ros.data.importers.bags import (  # noqa: PLC0415 - slow
            BagSource,
            find_bags,
            is_ours,
            read_names,
        )

        if self.object and self.object_by_folder:
            raise UsageError("expected --object or --object-by-folder, got both")
        names = read_names(self.topic)
        bags = find_bags(self.source.expanduser())
        ours = [path for _, path in bags if is_ours(path)]
        if ours:
            raise UsageError(
                f"{ours[0]}: expected bags of another recorder, this is an episode already: "
                "`tiltbot convert` takes it as it is"
            )
        sources = [
            BagSource(
                path,
                name,
                names=names,
                object_name=path.parent.name if self.object_by_folder else self.object,
            )
            for name, path in bags
        ]
        return _import(
            sources,
            self.out,
            _cut_options(rig="bag", max_tilt_rad=self.max_tilt_rad, detector=self.detector),
            settings=str(sorted(names.items())) + self.object,
            whole=self.whole,
            told=self.told,
            as_json=self.as_json,
        )


@dataclass(frozen=True, kw_only=True)
class Sound:
    """Sound files with a table of actions (docs/formats.md lists its columns)."""

    source: _Source
    """a WAV or FLAC file, or a folder of them"""
    out: _Out = None
    """folder that the episodes go to; it is continued when it exists"""
    actions: Annotated[Path | None, tyro.conf.arg(metavar="FILE.csv", help_behavior_hint="")] = None
    """the table; by default NAME.csv beside NAME.wav, or actions.csv in the folder"""
    object: _Text = ""
    """what was in the tray where the table does not say"""
    channels: int = 4
    """microphones that a file must have"""
    whole: _Flag = False
    """each file is one interaction: make one episode of it, around its loudest contact"""
    max_tilt_rad: float = 0.45
    """tilt of an action of 1"""
    detector: _Detector = "rig"
    as_json: _Json = False

    def run(self) -> int:
        """Import, and report."""
        from policy_ros.data.importers.sound import SoundSettings, find_sounds  # noqa: PLC0415
        from tiltbot_ros.settings import checked  # noqa: PLC0415

        settings = checked(
            SoundSettings,
            {"channels": self.channels, "max_tilt_rad": self.max_tilt_rad, "object": self.object},
        )
        table = self.actions.expanduser() if self.actions else None
        sources = find_sounds(self.source.expanduser(), table, settings)
        with_contacts = [bool(source.contacts_s) for source in sources]
        if any(with_contacts) and not all(with_contacts):
            raise UsageError(
                "expected contact_s for every sound file or for none: import them apart"
            )
        return _import(
            sources,
            self.out,
            _cut_options(rig="sound", max_tilt_rad=self.max_tilt_rad, detector=self.detector),
            settings=settings.digest(),
            whole=self.whole,
            told=any(with_contacts),
            as_json=self.as_json,
        )


def import_data(
    command: Annotated[
        Annotated[Release, tyro.conf.subcommand("release")]
        | Annotated[Bags, tyro.conf.subcommand("bags")]
        | Annotated[Sound, tyro.conf.subcommand("sound")],
        tyro.conf.arg(name=""),
    ],
) -> int:
    """Make episodes of data from elsewhere, for `tiltbot convert` and all else.

    A recording that cannot be read is told and left out, the others are
    imported, and the exit status is 1. What was imported before is not
    imported again; after Ctrl-C or a kill the same command goes on.
    """
    return command.run()


def _cut_options(
    *, rig: str, max_tilt_rad: float, detector: Literal["rig", "paper"]
) -> "CutOptions":
    from tiltbot_ros.episodes.detector import DetectorSettings  # noqa: PLC0415 - slow
    from tiltbot_ros.episodes.offline_session import CutOptions  # noqa: PLC0415
    from tiltbot_ros.episodes.threshold import ThresholdSettings  # noqa: PLC0415

    return CutOptions(
        rig=rig,
        max_tilt_rad=max_tilt_rad,
        detector=ThresholdSettings() if detector == "paper" else DetectorSettings(),
    )


def _import(
    sources: "Sequence[Source]",
    out: Path | None,
    cut: "CutOptions",
    *,
    settings: str,
    whole: bool = False,
    told: bool = False,
    as_json: bool = False,
) -> int:
    from policy_ros.data.importers.importing import ImportOptions, import_sources  # noqa: PLC0415

    if out is None:
        raise UsageError("expected --out DIR, the folder that the episodes go to")
    options = ImportOptions(cut=cut, whole=whole, told=told, settings=settings)
    console = remarks()
    with Progress(
        TextColumn("recordings"),
        BarColumn(),
        MofNCompleteColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as bar:
        task = bar.add_task("", total=len(sources))
        report = import_sources(
            sources, out.expanduser(), options, tell=lambda _: bar.advance(task)
        )
    if as_json:
        print_json(
            {
                "out": report.out.resolve(),
                "episodes": report.episodes,
                "clean": report.clean,
                "before": report.before,
                "sources": [source.model_dump() for source in report.sources],
            }
        )
    else:
        _tell(report)
    return 1 if report.failed else 0


def _tell(report: "ImportReport") -> None:
    console, asides = screen(), remarks()
    for source in report.sources:
        for remark in source.remarks:
            asides.print(f"{source.name}: {remark}", markup=False, soft_wrap=True)
        if source.problem:
            asides.print(f"{source.name}: LEFT OUT: {source.problem}", markup=False, soft_wrap=True)
            continue
        console.print(
            f"{source.name}: {counted(source.contacts, 'contact')} in {source.seconds:.1f} s, "
            f"{counted(len(source.episodes), 'episode')}, {source.clean} clean",
            markup=False,
        )
    failed = len(report.failed)
    console.print(
        f"\n{counted(report.episodes, 'episode')} of {counted(len(report.sources), 'recording')} "
        f"in {report.out}, {report.clean} of them clean"
        + (f"; {report.before} imported before" if report.before else "")
        + (f"; {counted(failed, 'recording')} left out" if failed else ""),
        markup=False,
    )
    if report.episodes:
        asides.print(
            f"`tiltbot convert {report.out} --out STORE` makes a training store of them",
            markup=False,
            soft_wrap=True,
        )
