"""Settings of the episode recorder."""

from typing import Literal

from pydantic import Field, model_validator

from tiltbot_ros.episodes.segmenter import SegmenterSettings


class RecorderSettings(SegmenterSettings):
    """What the recorder holds, waits for and keeps."""

    images: Literal["raw", "compressed"] = Field(
        "raw",
        description="form of the recorded images: 'raw', or 'compressed' (colour as JPEG, depth "
        "as PNG)",
    )
    moments: Literal["all", "before_after"] = Field(
        "all",
        description="images that an episode keeps: 'all', or the two 'before_after' the tilt, "
        "with the camera's other topics at these two",
    )
    ring_s: float = Field(
        10.0, gt=0.0, le=600.0, description="Messages held per topic, by header stamp [s]"
    )
    ring_bytes: int = Field(
        1_000_000_000, gt=0, description="Messages held per topic, payload at most [B]"
    )
    settle_s: float = Field(
        0.3, ge=0.0, le=10.0, description="Wait after a window's end for contacts and events [s]"
    )
    late_s: float = Field(
        2.0,
        ge=0.0,
        le=60.0,
        description="Wait at most so long after a window's end for streams that lag [s]",
    )
    tilt_wait_s: float = Field(
        6.0,
        ge=0.0,
        le=60.0,
        description="Wait at most so long after a window's end for the tilt to end [s]",
    )
    tilt_lookback_s: float = Field(
        2.0,
        ge=0.0,
        le=60.0,
        description="A tilt that ended at most so long before the contact still explains it [s]",
    )
    stall_s: float = Field(
        1.0, gt=0.0, le=60.0, description="A stream silent for longer has stalled [s]"
    )
    gate_s: float = Field(
        1.0, gt=0.0, le=60.0, description="Time over which required streams must flow [s]"
    )
    gate_fraction: float = Field(
        0.8, gt=0.0, le=1.0, description="Part of its expected rate that a stream must reach [1]"
    )

    @model_validator(mode="after")
    def _ring_holds_a_window(self) -> "RecorderSettings":
        needed = self.before_s + self.after_s + max(self.settle_s, self.late_s) + 1.0
        if self.ring_s < needed:
            message = (
                f"expected ring_s >= before_s + after_s + max(settle_s, late_s) + 1 = {needed}, "
                f"got {self.ring_s}: lengthen the ring or shorten the window"
            )
            raise ValueError(message)
        return self
