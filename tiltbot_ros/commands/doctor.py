"""The verb `doctor`: is this computer fit for a rig?"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro
from rich.console import Console
from rich.text import Text

from tiltbot_ros.commands.output import print_json, remarks, screen
from tiltbot_ros.doctor.examinations import EXAMINATIONS, run_examination
from tiltbot_ros.doctor.findings import Finding, Needs, fail
from tiltbot_ros.errors import MissingDependencyError
from tiltbot_ros.sensors.cameras import CameraSettings
from tiltbot_ros.sensors.microphones import MicrophoneSettings
from tiltbot_ros.teleop.opening import SourceSetup
from tiltbot_ros.wording import counted

if TYPE_CHECKING:
    from tiltbot_ros.rigs import Rig

_STYLES = {"ok": "green", "warn": "yellow", "fail": "bold red"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """What one examination found."""

    name: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class DoctorReport:
    """What `doctor --json` prints."""

    ok: bool
    rig: str
    warnings: int
    failures: int
    sections: tuple[Section, ...]


def doctor(
    *,
    rig: Annotated[str, tyro.conf.arg(metavar="NAME")] = "sim",
    out: Annotated[Path, tyro.conf.arg(metavar="DIR")] = Path("data"),
    json: Annotated[bool, tyro.conf.arg(help_behavior_hint="")] = False,
) -> int:
    """Examine this computer: is it fit for a rig?

    Libraries, ROS 2, DDS, arm, microphones, camera, rendering, disk and clock. Every line is
    ok, warn or fail, and tells what to do. Takes some ten seconds.

    Args:
        rig: name of the rig it shall be fit for, or the path of its YAML file
        out: folder that the episodes will go to
        json: print JSON, for scripts

    Returns:
        0, or 1 when something that the rig needs does not work.
    """
    console = screen()
    needs, problems = _needs(rig, out)
    sections = []
    if problems:
        sections.append(Section(name="rig", findings=(problems,)))
        if not json:
            _tell(console, sections[-1])
    for examination in EXAMINATIONS:
        with remarks().status(f"examining {examination.name} ..."):
            findings = run_examination(examination, needs)
        sections.append(Section(name=examination.name, findings=tuple(findings)))
        if not json:
            _tell(console, sections[-1])
    found = [finding for section in sections for finding in section.findings]
    report = DoctorReport(
        ok=all(finding.status != "fail" for finding in found),
        rig=needs.rig,
        warnings=sum(finding.status == "warn" for finding in found),
        failures=sum(finding.status == "fail" for finding in found),
        sections=tuple(sections),
    )
    if json:
        print_json(report)
    else:
        console.print(_sum_up(report))
    return 0 if report.ok else 1


def _needs(rig: str, out: Path) -> tuple[Needs, Finding | None]:
    """Return what a rig needs, and what hinders from knowing it exactly."""
    try:
        from tiltbot_ros.rigs import load_rig  # noqa: PLC0415 - it imports every device
    except (ImportError, MissingDependencyError) as error:
        assumed = Needs(
            rig=rig,
            simulated=True,
            microphones=MicrophoneSettings(),
            camera=CameraSettings(),
            out=out,
            disk_floor_bytes=0,
        )
        advice = "./run setup; what follows takes the rig as the simulated one"
        return assumed, fail("rig", f"its settings cannot be read: {error}", advice)
    chosen = load_rig(rig)
    needs = Needs(
        rig=chosen.name,
        simulated=chosen.simulated,
        microphones=chosen.microphones,
        camera=chosen.camera,
        out=out,
        disk_floor_bytes=chosen.writer.disk_floor_bytes,
        arm=chosen.arm,
        franka=chosen.franka,
        kinova=chosen.kinova,
        mujoco_arm=chosen.mujoco_arm,
        sawyer=chosen.sawyer,
        held=chosen.held,
        tilt=chosen.tilt,
        guard=chosen.guard,
        tool=chosen.tool,
        source=None if chosen.simulated else _source(chosen),
    )
    return needs, None


def _source(rig: "Rig") -> SourceSetup:
    """Return what a person leads the arm with."""
    return SourceSetup(
        teleop=rig.teleop,
        keyboard=rig.keyboard,
        gamepad=rig.gamepad,
        headset=rig.headset,
        scripted=rig.scripted,
    )


def _tell(console: Console, section: Section) -> None:
    console.print(Text(section.name, style="bold"))
    for finding in section.findings:
        line = Text("  ")
        line.append(f"{finding.status:4}", style=_STYLES[finding.status])
        line.append(f"  {finding.name}: ", style="bold" if finding.status == "fail" else "")
        line.append(finding.text)
        console.print(line)
        if finding.advice:
            console.print(Text(f"        -> {finding.advice}", style=_STYLES[finding.status]))


def _sum_up(report: DoctorReport) -> str:
    if report.failures:
        what = counted(report.failures, "failure")
        return f"\n[bold red]not fit[/] for rig '{report.rig}': {what}, marked 'fail' above"
    if report.warnings:
        return f"\n[green]fit[/] for rig '{report.rig}', {counted(report.warnings, 'warning')}"
    return f"\n[green]fit[/] for rig '{report.rig}'"
