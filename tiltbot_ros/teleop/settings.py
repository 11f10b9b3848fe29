"""Settings of teleoperation: which source, and how a hand's motion becomes the tool's."""

from typing import Literal

from pydantic import Field, model_validator

from tiltbot_ros.settings import Settings, Vector3

SourceName = Literal["keyboard", "gamepad", "headset", "scripted"]


class TeleopSettings(Settings):
    """How a hand's motion becomes that of the tool."""

    source: SourceName = Field(
        "keyboard",
        description="what a person holds: 'keyboard', 'gamepad', 'headset' (WebXR), or 'scripted', "
        "a demonstrator for tests",
    )
    commander: str = Field(
        "teleop", min_length=1, max_length=64, description="name that the arm is taken under"
    )
    scale: float = Field(
        1.0, gt=0.0, le=10.0, description="way of the tool for the same way of the hand"
    )
    turn_scale: float = Field(
        1.0, ge=0.0, le=10.0, description="turn of the tool for the same turn of the hand"
    )
    rotation_rad: Vector3 = Field(
        default=[0.0, 0.0, 0.0],
        description="rotation vector from the person's axes (x forward, y left, z up) to those of "
        "the base: [0, 0, 3.14] for who faces the robot [rad]",
    )
    speed_m_s: Vector3 = Field(
        default=[0.25, 0.25, 0.25],
        description="greatest speed along each axis of the base; 0 locks it [m/s]",
    )
    speed_rad_s: Vector3 = Field(
        default=[0.8, 0.8, 0.8],
        description="greatest rate about each axis of the base; 0 locks it [rad/s]",
    )
    dead_m: float = Field(
        0.001, ge=0.0, le=0.1, description="motion of the hand that the tool does not follow [m]"
    )
    dead_rad: float = Field(
        0.01, ge=0.0, le=0.5, description="turn of the hand that the tool does not follow [rad]"
    )
    smoothing_s: float = Field(
        0.08, ge=0.0, le=2.0, description="time constant that smoothes the hand's motion [s]"
    )
    jump_m: float = Field(
        0.15,
        gt=0.0,
        le=2.0,
        description="step between two samples that is lost tracking, not motion [m]",
    )
    jump_rad: float = Field(
        0.7, gt=0.0, le=3.2, description="the same of a turn between two samples [rad]"
    )
    stale_s: float = Field(
        0.2,
        gt=0.0,
        le=5.0,
        description="oldest sample of the source that still commands; after that no steps are "
        "sent, and the arm's deadman stops it [s]",
    )

    @model_validator(mode="after")
    def _speeds(self) -> "TeleopSettings":
        for name in ("speed_m_s", "speed_rad_s"):
            if not all(0.0 <= value <= 3.0 for value in getattr(self, name)):
                raise ValueError(f"expected {name} within 0 .. 3, got {getattr(self, name)}")
        return self


class KeyboardSettings(Settings):
    """The keyboard of a terminal as a source."""

    step_m: float = Field(0.01, gt=0.0, le=0.1, description="way of one key press [m]")
    step_rad: float = Field(0.05, gt=0.0, le=0.5, description="turn of one key press [rad]")
    press_s: float = Field(
        0.05, gt=0.0, le=1.0, description="time that the way of one key press takes at least [s]"
    )


class GamepadSettings(Settings):
    """A gamepad as a source, read from the joystick device of Linux."""

    device: str = Field("/dev/input/js0", description="joystick device")
    speed_m_s: float = Field(
        0.15, gt=0.0, le=2.0, description="speed of the hand at a full stick [m/s]"
    )
    speed_rad_s: float = Field(
        0.6, gt=0.0, le=3.0, description="rate of the hand at a full stick [rad/s]"
    )
    dead: float = Field(
        0.1, ge=0.0, le=0.9, description="part of a stick's range about its middle that is still"
    )


class HeadsetSettings(Settings):
    """A WebXR headset as a source: a page for its browser."""

    host: str = Field(
        "127.0.0.1",
        description="address to serve on; loopback is enough with a cable (adb reverse), "
        "0.0.0.0 for the network",
    )
    port: int = Field(8443, ge=0, le=65535, description="port; 0: any free one")
    token: str = Field(
        "",
        description="secret that the page's address has to have; empty: a new one at each start "
        "where others than the loopback can connect",
    )
    certificate: str = Field(
        "", description="PEM file of the certificate; headsets need HTTPS except on the loopback"
    )
    key: str = Field("", description="PEM file of the certificate's key")
    hand: Literal["right", "left"] = Field("right", description="which controller leads")


class ScriptedSettings(Settings):
    """A demonstrator for tests and examples."""

    motion: Literal["reach", "wipe", "pour"] = Field("reach", description="what it shows")
    times: int = Field(1, ge=1, le=1000, description="how often it shows that")
    size_m: float = Field(0.12, gt=0.0, le=0.5, description="size of the motion [m]")
    duration_s: float = Field(6.0, ge=0.5, le=120.0, description="length of a motion [s]")
    seed: int = Field(0, ge=0, description="of the small differences between two")
