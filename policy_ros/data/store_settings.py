"""What a training store holds: settings, arrays, objects."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import Field

from policy_ros.signals.settings import FrontEndSettings
from tiltbot_ros.settings import Settings


class StoreSettings(Settings):
    """What is kept of an interaction; the same for every row of a store."""

    front_end: FrontEndSettings = FrontEndSettings()
    seconds: float = Field(
        4.0, gt=0.0, le=60.0, description="sound kept, centred on the contact [s]"
    )
    channels: int = Field(4, ge=1, le=64, description="microphones [1]")
    picture_size: int = Field(128, ge=8, le=2048, description="side of the pictures [pixels]")
    tray_hz: float = Field(
        100.0, gt=0.0, le=10_000.0, description="rate of the tray's measured rotation [Hz]"
    )
    tray_size_m: float = Field(
        0.30, gt=0.0, le=10.0, description="inner length of the tray's sides; a wall is at ±1 [m]"
    )
    max_tilt_rad: float = Field(0.45, gt=0.0, le=3.2, description="tilt of an action of 1 [rad]")
    clip: bool = Field(default=False, description="keep all pictures of the window, too [bool]")
    clip_hz: float = Field(6.0, gt=0.0, le=240.0, description="rate of those pictures [Hz]")
    shard_rows: int = Field(512, ge=1, le=100_000, description="rows in one shard at most [1]")

    @property
    def audio_frames(self) -> int:
        """Frames of sound in a row."""
        return round(self.seconds * self.front_end.sample_rate_hz)

    @property
    def tray_steps(self) -> int:
        """Measurements of the tray in a row."""
        return round(self.seconds * self.tray_hz)

    @property
    def clip_frames(self) -> int:
        """Pictures of the clip in a row."""
        return round(self.seconds * self.clip_hz)

    @property
    def half_side_m(self) -> float:
        """Location of 1 [m]."""
        return self.tray_size_m / 2


@dataclass(frozen=True, kw_only=True, slots=True)
class ArraySpec:
    """One array of a store.

    Attributes:
        name: of its file.
        dtype: little endian.
        row: shape of one row.
        unit: of its values.
        meaning: in words.
    """

    name: str
    dtype: np.dtype[Any]
    row: tuple[int, ...]
    unit: str
    meaning: str

    @property
    def row_bytes(self) -> int:
        """Size of one row [B]."""
        return int(np.prod(self.row, dtype=np.int64)) * self.dtype.itemsize


def array_specs(settings: StoreSettings) -> tuple[ArraySpec, ...]:
    """Return the arrays that a store with these settings has."""
    front_end = settings.front_end
    picture = (settings.picture_size, settings.picture_size, 3)
    rows = [
        (
            "audio",
            "<i2",
            (settings.channels, settings.audio_frames),
            f"1/32768 of full scale, {front_end.sample_rate_hz} Hz",
            "sound, centred on the contact",
        ),
        (
            "spectrogram",
            "<f2",
            (settings.channels, front_end.frequencies, front_end.times),
            f"ln, clipped to [{front_end.floor:g}, {front_end.ceiling:g}]",
            "picture of the sound: channel, frequency, time",
        ),
        ("before", "|u1", picture, "RGB", "picture before the tilt"),
        ("after", "|u1", picture, "RGB", "picture after the tilt"),
        ("action", "<f4", (2,), "greatest tilt", "ax, ay in [-1, 1]"),
        ("rotation", "<f4", (2,), "rad", "x, y of the tilt's rotation vector, level tray"),
        (
            "location_before",
            "<f4",
            (2,),
            "half the tray's inner side",
            "x, y of the object in the tray; NaN: not seen",
        ),
        (
            "location_after",
            "<f4",
            (2,),
            "half the tray's inner side",
            "x, y of the object in the tray; NaN: not seen",
        ),
        (
            "tray",
            "<f4",
            (settings.tray_steps, 2),
            "rad",
            f"x, y of the tray's measured rotation, {settings.tray_hz:g} Hz; NaN: not measured",
        ),
        ("object", "<i2", (), "index", "of the store's objects"),
        ("contact_channel", "|i1", (), "index", "microphone that heard the contact"),
        ("contact_level", "<f4", (), "full scale", "peak of the contact"),
        ("contact_ns", "<i8", (), "ns", "when it was heard, ROS clock"),
        ("start_ns", "<i8", (), "ns", "first frame of the sound, ROS clock"),
        ("clean", "|b1", (), "bool", "no check of the verdict failed, or a person kept it"),
    ]
    if settings.clip:
        rows.append(
            (
                "clip",
                "|u1",
                (settings.clip_frames, *picture),
                "RGB",
                f"the picture nearest to the middle of each 1/{settings.clip_hz:g} s",
            )
        )
    return tuple(
        ArraySpec(name=name, dtype=np.dtype(dtype), row=row, unit=unit, meaning=meaning)
        for name, dtype, row, unit, meaning in rows
    )


class StoreObject(Settings):
    """An object that rows of a store belong to."""

    name: str = Field(min_length=1, description="as in the catalogue of objects")
    set: str = Field("", description="A, B, or empty: in neither")
