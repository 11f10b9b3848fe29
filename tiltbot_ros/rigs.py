"""A rig: which arm, microphones and camera, and every setting, from one YAML file."""

import difflib
import os
from pathlib import Path

import yaml
from pydantic import Field, ValidationError

from tiltbot_ros.arms.deltas import DeltaSettings
from tiltbot_ros.arms.drivers import ArmSettings
from tiltbot_ros.arms.franka.settings import FrankaSettings
from tiltbot_ros.arms.gripping import GripperSettings
from tiltbot_ros.arms.guard import GuardSettings
from tiltbot_ros.arms.held_settings import HeldTraySettings
from tiltbot_ros.arms.kinematic import KinematicSettings
from tiltbot_ros.arms.kinova.settings import KinovaSettings
from tiltbot_ros.arms.mujoco_arm_settings import MujocoArmSettings
from tiltbot_ros.arms.sawyer.settings import SawyerSettings
from tiltbot_ros.arms.tilts import TiltSettings
from tiltbot_ros.arms.tool_settings import ToolSettings
from tiltbot_ros.arms.tray import FollowSettings
from tiltbot_ros.collecting import CollectSettings
from tiltbot_ros.demonstrations.settings import DemonstrationSettings
from tiltbot_ros.episodes.detector import DetectorSettings
from tiltbot_ros.episodes.recorder_settings import RecorderSettings
from tiltbot_ros.episodes.verdict_settings import VerdictSettings
from tiltbot_ros.episodes.writer import WriterSettings
from tiltbot_ros.errors import ConfigError
from tiltbot_ros.sensors.cameras import CameraSettings
from tiltbot_ros.sensors.microphones import MicrophoneSettings
from tiltbot_ros.sensors.mount import MountSettings
from tiltbot_ros.sensors.tracker import TrackerSettings
from tiltbot_ros.settings import Settings, explain
from tiltbot_ros.share import share_directory
from tiltbot_ros.teleop.settings import (
    GamepadSettings,
    HeadsetSettings,
    KeyboardSettings,
    ScriptedSettings,
    TeleopSettings,
)
from tiltbot_ros.worlds.camera import ViewSettings
from tiltbot_ros.worlds.sound import SoundSettings
from tiltbot_ros.worlds.tray_model import TraySettings

SEARCH_PATH_VARIABLE = "TILTBOT_RIG_PATH"


class Rig(Settings):
    """Everything that differs between two laboratories.

    Each group of settings becomes the ROS parameters `group.name` of the
    nodes that use it (tiltbot_ros/bringup.py says which).
    """

    name: str = Field("", description="name of the rig; empty: its file's name")
    description: str = Field("", description="one line for a person")
    arm: ArmSettings = ArmSettings()
    kinematic: KinematicSettings = KinematicSettings()
    guard: GuardSettings = GuardSettings()
    held: HeldTraySettings = HeldTraySettings()
    kinova: KinovaSettings = KinovaSettings()
    mujoco_arm: MujocoArmSettings = MujocoArmSettings()
    sawyer: SawyerSettings = SawyerSettings()
    franka: FrankaSettings = FrankaSettings()
    tool: ToolSettings = ToolSettings()
    deltas: DeltaSettings = DeltaSettings()
    gripper: GripperSettings = GripperSettings()
    teleop: TeleopSettings = TeleopSettings()
    keyboard: KeyboardSettings = KeyboardSettings()
    gamepad: GamepadSettings = GamepadSettings()
    headset: HeadsetSettings = HeadsetSettings()
    scripted: ScriptedSettings = ScriptedSettings()
    tilt: TiltSettings = TiltSettings()
    follow: FollowSettings = FollowSettings()
    microphones: MicrophoneSettings = MicrophoneSettings()
    camera: CameraSettings | None = CameraSettings()
    mount: MountSettings = MountSettings()
    tracker: TrackerSettings = TrackerSettings()
    world: TraySettings = TraySettings()
    sound: SoundSettings = SoundSettings()
    view: ViewSettings = ViewSettings()
    detector: DetectorSettings = DetectorSettings()
    recorder: RecorderSettings = RecorderSettings()
    writer: WriterSettings = WriterSettings()
    verdict: VerdictSettings = VerdictSettings()
    collect: CollectSettings = CollectSettings()
    demonstrations: DemonstrationSettings = DemonstrationSettings()

    @property
    def simulated(self) -> bool:
        """Whether one world stands in for the devices."""
        return self.arm.driver == "simulated"

    @property
    def audio_hz(self) -> float:
        """Blocks of sound a second [Hz]."""
        return self.microphones.sample_rate_hz / self.microphones.block_frames


def group_model(group: str) -> type[Settings]:
    """Return the type of a group of a rig's settings, by its name.

    Raises:
        ConfigError: a rig has no such group.
    """
    field = Rig.model_fields.get(group)
    if field is None or not isinstance(field.default, Settings):
        raise ConfigError(f"expected a group of a rig's settings, got '{group}'")
    return type(field.default)


def rig_directories() -> list[Path]:
    """Return the folders that are searched for rigs, the user's own first."""
    own = [
        Path(part) for part in os.environ.get(SEARCH_PATH_VARIABLE, "").split(os.pathsep) if part
    ]
    return [*own, share_directory() / "config" / "rigs"]


def rig_names() -> list[str]:
    """Return the names of the rigs that are found without a path."""
    return sorted({file.stem for folder in rig_directories() for file in folder.glob("*.yaml")})


def load_rig(name: str) -> Rig:
    """Return the rig of a name, or of the path of a YAML file.

    Raises:
        ConfigError: there is none, it is not YAML, or a setting does not fit.
    """
    path = _find(name)
    try:
        content = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"expected a rig in {path}, but it cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise ConfigError(f"expected groups of settings in {path}, got {type(content).__name__}")
    try:
        rig = Rig.model_validate(content)
    except ValidationError as error:
        raise ConfigError(f"{path}:\n{explain(error)}") from error
    return rig if rig.name else rig.model_copy(update={"name": path.stem})


def _find(name: str) -> Path:
    if name.endswith((".yaml", ".yml")):
        path = Path(name)
        if not path.is_file():
            raise ConfigError(f"expected the YAML file of a rig, but {path} does not exist")
        return path
    for folder in rig_directories():
        path = folder / f"{name}.yaml"
        if path.is_file():
            return path
    known = rig_names()
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean '{near[0]}'?" if near else ""
    raise ConfigError(
        f"expected a rig ({', '.join(known)}) or the path of a YAML file, got '{name}'{hint}"
    )
