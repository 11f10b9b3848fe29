"""Which pose source a rig has; only its own library is imported."""

from dataclasses import dataclass

from tiltbot_ros.teleop.settings import (
    GamepadSettings,
    HeadsetSettings,
    KeyboardSettings,
    ScriptedSettings,
    TeleopSettings,
)
from tiltbot_ros.teleop.source import PoseSource


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceSetup:
    """Every group of settings that a source may need."""

    teleop: TeleopSettings
    keyboard: KeyboardSettings
    gamepad: GamepadSettings
    headset: HeadsetSettings
    scripted: ScriptedSettings


def make_source(setup: SourceSetup) -> PoseSource:
    """Return the source that the settings name, not open.

    Raises:
        ConfigError: its settings do not fit.
    """
    source = setup.teleop.source
    if source == "headset":
        from tiltbot_ros.teleop.headset import HeadsetSource  # noqa: PLC0415

        return HeadsetSource(setup.headset)
    if source == "gamepad":
        from tiltbot_ros.teleop.gamepad import GamepadSource  # noqa: PLC0415

        return GamepadSource(setup.gamepad)
    if source == "scripted":
        from tiltbot_ros.teleop.scripted import ScriptedSource  # noqa: PLC0415

        return ScriptedSource(setup.scripted)
    from tiltbot_ros.teleop.keyboard import KeyboardSource  # noqa: PLC0415

    return KeyboardSource(setup.keyboard)
