"""The verb `segment`: cut a long recording into episodes."""

from pathlib import Path
from typing import Annotated, Literal

import tyro
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from tiltbot_ros.commands.fates import Fate, Recording, SegmentReport, fates, recording_at
from tiltbot_ros.commands.output import print_json, remarks, screen
from tiltbot_ros.episodes.detector import HeardContact
from tiltbot_ros.episodes.offline import cut_bag, cut_sound
from tiltbot_ros.episodes.offline_session import Cut, CutOptions
from tiltbot_ros.episodes.segmenter import Policy
from tiltbot_ros.wording import counted

_File = Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="FILE")]
_POLICY = (
    "what happens to contacts closer than a window: 'first', the earlier wins; 'strongest', the "
    "loudest wins; 'all', windows overlap; 'rig', as the rig has it"
)
_Text = tyro.conf.arg(metavar="NAME", help_behavior_hint="")


def segment(
    file: _File,
    *,
    out: Annotated[Path, tyro.conf.arg(metavar="DIR")],
    object: Annotated[str, _Text] = "",  # noqa: A002 - the option's name
    rig: Annotated[str | None, _Text] = None,
    policy: Annotated[Literal["rig"] | Policy, tyro.conf.arg(help=_POLICY)] = "rig",
    json: Annotated[bool, tyro.conf.arg(help_behavior_hint="")] = False,
) -> int:
    """Cut a long recording into episodes, as a live session would.

    Prints every contact with its time from the start, and what became of it.

    Args:
        file: a sound file (WAV, FLAC, ...), a rosbag2 directory or an MCAP file
        out: folder that the episodes go to; it is continued when it exists
        object: what was in the tray
        rig: rig whose detector, windows and limits are used
        policy: what happens to contacts closer than a window
        json: print JSON, for scripts

    Returns:
        0, or 1 when an episode could not be written.
    """
    recording = recording_at(file.expanduser())
    options = _options(object_name=object, rig=rig, policy=policy)
    cut = _cut(recording, out.expanduser(), options)
    found = fates(cut, recording, options.recorder)
    report = SegmentReport(
        file=recording.path.resolve(),
        out=out.expanduser().resolve(),
        seconds=cut.seconds,
        policy=options.recorder.policy,
        episodes=sum(fate.episode is not None for fate in found),
        clean=sum(fate.clean is True for fate in found),
        drops=cut.drops,
        contacts=found,
    )
    if json:
        print_json(report)
    else:
        _tell(report, out)
    return 1 if any(fate.fate == "lost" for fate in found) else 0


def _options(*, object_name: str, rig: str | None, policy: Literal["rig"] | Policy) -> CutOptions:
    options = CutOptions(object=object_name)
    if rig is not None:
        from tiltbot_ros.rigs import load_rig  # noqa: PLC0415 - it imports every device

        chosen = load_rig(rig)
        options = CutOptions(
            object=object_name,
            rig=chosen.name,
            max_tilt_rad=chosen.tilt.max_tilt_rad,
            detector=chosen.detector,
            recorder=chosen.recorder,
            writer=chosen.writer,
            limits=chosen.verdict,
        )
    if policy == "rig":
        return options
    return CutOptions(
        object=options.object,
        rig=options.rig,
        max_tilt_rad=options.max_tilt_rad,
        detector=options.detector,
        recorder=options.recorder.model_copy(update={"policy": policy}),
        writer=options.writer,
        limits=options.limits,
    )


def _cut(recording: Recording, out: Path, options: CutOptions) -> Cut:
    console = remarks()
    with _progress(console) as progress:
        task = progress.add_task("listening", total=recording.seconds)
        heard = 0

        def on_contact(contact: HeardContact) -> None:
            nonlocal heard
            heard += 1
            progress.update(
                task,
                completed=recording.time_of(contact),
                description=f"listening: {counted(heard, 'contact')}",
            )

        if recording.is_bag:
            return cut_bag(recording.path, out, options, heard=on_contact)
        return cut_sound(recording.path, out, options, heard=on_contact)


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.0f} s of {task.total:.0f} s"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def _tell(report: SegmentReport, out: Path) -> None:
    console = screen()
    for fate in report.contacts:
        console.print(_line(fate), markup=False)
    console.print(
        f"\n{counted(len(report.contacts), 'contact')} in {report.seconds:.1f} s; "
        f"{counted(report.episodes, 'episode')} in {out}, {report.clean} of them clean",
        markup=False,
    )
    if report.episodes > report.clean:
        console.print(f"`tiltbot episodes ls {out} --flagged` tells why", markup=False)


def _line(fate: Fate) -> str:
    place = f"{fate.time_s:10.3f} s   level {fate.level:.3f}   channel {fate.channel}"
    return f"{place}   {fate.episode or fate.fate}{f': {fate.reason}' if fate.reason else ''}"
