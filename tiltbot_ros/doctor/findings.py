"""What an examination is told, and what it answers."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter

from tiltbot_ros.arms.drivers import ArmSettings
from tiltbot_ros.arms.franka.settings import FrankaSettings
from tiltbot_ros.arms.guard import GuardSettings
from tiltbot_ros.arms.held_settings import HeldTraySettings
from tiltbot_ros.arms.kinova.settings import KinovaSettings
from tiltbot_ros.arms.mujoco_arm_settings import MujocoArmSettings
from tiltbot_ros.arms.sawyer.settings import SawyerSettings
from tiltbot_ros.arms.tilts import TiltSettings
from tiltbot_ros.arms.tool_settings import ToolSettings
from tiltbot_ros.sensors.cameras import CameraSettings
from tiltbot_ros.sensors.microphones import MicrophoneSettings
from tiltbot_ros.teleop.opening import SourceSetup

Status = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Needs:
    """What a rig asks of the computer.

    Attributes:
        rig: its name.
        simulated: one world stands in for its devices.
        microphones: its microphones.
        camera: its camera; None: it has none.
        out: folder that the episodes go to.
        disk_floor_bytes: free space that the recorder leaves [B].
        arm: its arm.
        franka: of Franka's driver.
        kinova: of Kinova's driver.
        mujoco_arm: of a simulated arm.
        sawyer: of Sawyer's driver.
        held: how a tray sits in the arm's hand.
        tilt: tilts of that tray.
        guard: limits of the arm on this rig.
        tool: where its tool is.
        source: what a person leads the arm with; None: this rig is not led.
    """

    rig: str
    simulated: bool
    microphones: MicrophoneSettings
    camera: CameraSettings | None
    out: Path
    disk_floor_bytes: int
    arm: ArmSettings = field(default_factory=ArmSettings)
    franka: FrankaSettings = field(default_factory=FrankaSettings)
    kinova: KinovaSettings = field(default_factory=KinovaSettings)
    mujoco_arm: MujocoArmSettings = field(default_factory=MujocoArmSettings)
    sawyer: SawyerSettings = field(default_factory=SawyerSettings)
    held: HeldTraySettings = field(default_factory=HeldTraySettings)
    tilt: TiltSettings = field(default_factory=TiltSettings)
    guard: GuardSettings = field(default_factory=GuardSettings)
    tool: ToolSettings = field(default_factory=ToolSettings)
    source: SourceSetup | None = None

    @property
    def bytes_per_s(self) -> float:
        """What the streams of the rig make together: sound, colour, depth [B/s]."""
        sound = self.microphones
        rate = sound.sample_rate_hz * sound.channels * (2 if sound.bits == 16 else 4)
        if self.camera is None:
            return float(rate)
        pixels = self.camera.width * self.camera.height
        return rate + pixels * (3 + 2) * self.camera.rate_hz


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One answer.

    Attributes:
        name: what was examined.
        status: `ok`; `warn`, works but not as well as it could; `fail`,
            something that the rig needs does not work.
        text: what was found.
        advice: what to do; empty when there is nothing to do.
    """

    name: str
    status: Status
    text: str
    advice: str = ""


NEEDS: TypeAdapter[Needs] = TypeAdapter(Needs)
FINDINGS: TypeAdapter[list[Finding]] = TypeAdapter(list[Finding])


def ok(name: str, text: str) -> Finding:
    """Return that all is well."""
    return Finding(name=name, status="ok", text=text)


def warn(name: str, text: str, advice: str) -> Finding:
    """Return that something works, but not as well as it could."""
    return Finding(name=name, status="warn", text=text, advice=advice)


def fail(name: str, text: str, advice: str) -> Finding:
    """Return that something needed does not work."""
    return Finding(name=name, status="fail", text=text, advice=advice)
