"""What a report shows."""

from typing import Literal

from pydantic import Field

from tiltbot_ros.settings import Settings


class ReportSettings(Settings):
    """What a report shows."""

    title: str = Field("", description="Name of the data set; empty: that of its folder")
    gallery: int = Field(
        24, ge=0, le=100_000, description="Episodes of each object with pictures and sound [1]"
    )
    sound: Literal["ogg", "flac", "none"] = Field(
        "ogg",
        description="The loudest microphone as Ogg Vorbis at 22 kHz, lossless as FLAC, or no sound",
    )
    picture_width_px: int = Field(320, ge=64, le=1920, description="Width of a picture [pixel]")
    jpeg_quality: int = Field(80, ge=1, le=100, description="Of pictures and spectrograms [1]")
    chunk_episodes: int = Field(
        12, ge=1, le=200, description="Episodes whose pictures and sound are loaded together [1]"
    )
