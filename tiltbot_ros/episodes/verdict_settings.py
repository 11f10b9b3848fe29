"""The limits of an episode's verdict."""

from pydantic import Field

from tiltbot_ros.settings import Settings


class VerdictSettings(Settings):
    """What a clean episode may lack at most."""

    count_fraction: float = Field(
        0.95, ge=0.0, le=1.0, description="Messages over expected messages at least [1]"
    )
    count_excess: float = Field(
        1.1, ge=1.0, le=100.0, description="Messages over expected messages at most [1]"
    )
    gap_periods: float = Field(
        2.5, ge=1.0, le=100.0, description="Longest gap, in periods of the topic [1]"
    )
    gap_s: float = Field(
        0.06, ge=0.0, le=10.0, description="A gap up to this is no gap whatever the period [s]"
    )
    skew_s: float = Field(
        0.02,
        ge=0.0,
        le=10.0,
        description="Audio and video may differ in start and end by this and 1.5 frames [s]",
    )
    clock_s: float = Field(
        0.01,
        ge=0.0,
        le=1.0,
        description="Stamps and counted samples of the audio may part by this [s]",
    )
