"""`demo replay`: let an arm do again what was shown, and tell how far off it was."""

from dataclasses import dataclass
from typing import Annotated

import tyro

from tiltbot_ros.bringup import arm
from tiltbot_ros.commands.arguments import Flag, Json
from tiltbot_ros.commands.demo_sorting import One, demonstration_at
from tiltbot_ros.commands.output import print_json, remarks, screen
from tiltbot_ros.commands.usage import UsageError
from tiltbot_ros.rigs import load_rig

SIMULATED = ("kinematic", "mujoco")


@dataclass(frozen=True, kw_only=True)
class Replay:
    """Lead an arm to the start of a demonstration, show its steps again, and measure the error.

    The errors are those of the measured tool against the measured tool of the
    demonstration, moment by moment. Exit status 1 when they are above the tolerances.
    """

    where: One
    """a demonstration, or a folder, which means its last one"""
    rig: str = "arm_sim"
    """name of a rig (config/rigs) or the path of a YAML file"""
    within_m: Annotated[float, tyro.conf.arg(metavar="METRES")] = 0.005
    """largest distance that is well"""
    within_rad: Annotated[float, tyro.conf.arg(metavar="RADIANS")] = 0.02
    """largest angle that is well"""
    dry_run: Flag = False
    """send the arm nothing; arm/preview shows what it would be told"""
    on_robot: Flag = False
    """let a real arm do it: nobody within its reach, a hand on the emergency stop"""
    namespace: str = ""
    """of all nodes and topics"""
    as_json: Json = False

    def run(self) -> int:
        """Replay and print the errors."""
        from tiltbot_ros.demonstrations.steps import read_demonstration  # noqa: PLC0415 - slow

        rig = load_rig(self.rig)
        if rig.arm.driver not in (*SIMULATED, "simulated") and not (self.on_robot or self.dry_run):
            raise UsageError(
                f"expected a simulated arm, got '{rig.arm.driver}': add --dry-run to see what it "
                f"would be told, or --on-robot to let it move"
            )
        path = demonstration_at(self.where)
        shown = read_demonstration(path)
        # A step takes as long as it did, whatever the rig's rate is.
        rate = {"rate_hz": shown.facts.rate_hz}
        rig = rig.model_copy(update={"deltas": rig.deltas.model_copy(update=rate)})
        spec = arm(rig, dry_run=self.dry_run)

        # The client needs ROS 2; checks of the options must not wait for it.
        from tiltbot_ros.commands.replaying_session import ReplayingSession  # noqa: PLC0415

        with ReplayingSession(
            spec, shown, namespace=self.namespace, dry_run=self.dry_run, say=remarks().print
        ) as session:
            replayed = session.replay()
        error = replayed.error
        well = error.max_m <= self.within_m and error.max_rad <= self.within_rad
        if self.as_json:
            print_json({"demonstration": path.resolve(), "replayed": replayed, "well": well})
            return 0 if well else 1
        lines = [
            (
                f"{shown.facts.id}: {len(shown.steps)} steps replayed on '{rig.name}', "
                f"{error.moments} moments compared, {1e3 * error.shift_s:+.0f} ms apart"
            ),
            (
                f"position: max {1e3 * error.max_m:.2f} mm, RMS {1e3 * error.rms_m:.2f} mm, "
                f"at the end {1e3 * error.end_m:.2f} mm"
            ),
            (
                f"rotation: max {error.max_rad:.4f} rad, RMS {error.rms_rad:.4f} rad, "
                f"at the end {error.end_rad:.4f} rad"
            ),
            (
                f"{'within' if well else 'NOT within'} {1e3 * self.within_m:g} mm and "
                f"{self.within_rad:g} rad"
            ),
        ]
        if replayed.flaws:
            lines.append(f"not as it was: {replayed.flaws}")
        for line in lines:
            screen().print(line, markup=False)
        return 0 if well else 1
