"""What the servers of learned models are told; the models themselves are policy_ros's."""

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from tiltbot_ros.settings import Settings

if TYPE_CHECKING:
    from tiltbot_ros.rigs import Rig

Role = Literal["inverse", "forward", "classify"]

ROLES: tuple[Role, ...] = ("inverse", "forward", "classify")
"""What a model can be served for."""

EXECUTABLES: dict[Role, str] = {
    "inverse": "inverse_model_node",
    "forward": "forward_model_node",
    "classify": "classify_object_node",
}
ACTIONS: dict[Role, str] = {
    "inverse": "inverse_model",
    "forward": "forward_model",
    "classify": "classify_object",
}
"""Names of the actions, which are also those of the nodes that serve them."""


class ServingSettings(Settings):
    """A model that is served, and what it refuses to listen to."""

    checkpoint: str = Field("", description="folder of a checkpoint, as `tiltbot train` writes it")
    backend: Literal["auto", "onnx", "torch"] = Field(
        "auto",
        description="what runs the model: 'onnx' (ONNX Runtime, one thread), 'torch' (the GPU, or "
        "one thread), or what suits this computer",
    )
    least_peak: float = Field(
        0.003,
        ge=0.0,
        le=1.0,
        description="sound whose loudest sample is softer is silent, and refused [full scale]",
    )
    most_clipped: float = Field(
        0.002,
        ge=0.0,
        le=1.0,
        description="sound with a larger part of its samples at full scale is refused [1]",
    )
    remembered: int = Field(
        8,
        ge=0,
        le=1000,
        description="episodes read last that are kept ready; each new episode is read when it is "
        "on disk, so that a goal about it need not wait for that",
    )
    longest_s: float = Field(
        30.0, gt=0.0, le=600.0, description="longer sound is refused, however it is sent [s]"
    )


class LiveEvaluationSettings(Settings):
    """Which models are compared with what really happens."""

    inverse: str = Field("", description="folder of a checkpoint that predicts tilts; empty: none")
    forward: str = Field(
        "", description="folder of a checkpoint that predicts locations; empty: none"
    )
    classify: str = Field("", description="folder of a checkpoint that names objects; empty: none")
    backend: Literal["auto", "onnx", "torch"] = Field(
        "auto", description="what runs the models, as in `serving`"
    )
    longest_queue: int = Field(
        64, ge=1, le=10_000, description="episodes that may wait; more are skipped and counted"
    )


class ServedRigSettings(Settings):
    """What a model must fit of the rig that it is served on."""

    sample_rate_hz: int = Field(
        44_100, ge=8_000, le=192_000, description="frames per second of the microphones [Hz]"
    )
    channels: int = Field(4, ge=1, le=64, description="how many microphones there are [1]")
    max_tilt_rad: float = Field(0.45, gt=0.0, le=0.8, description="tilt of an action of 1 [rad]")
    tray_size_m: float = Field(
        0.30, gt=0.0, le=2.0, description="inner length of the tray's sides [m]"
    )

    @staticmethod
    def of(rig: "Rig") -> "ServedRigSettings":
        """Return what the models of a rig must fit."""
        return ServedRigSettings(
            sample_rate_hz=rig.microphones.sample_rate_hz,
            channels=rig.microphones.channels,
            max_tilt_rad=rig.tilt.max_tilt_rad,
            tray_size_m=rig.tracker.tray_size_m,
        )
