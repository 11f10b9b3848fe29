"""Which of the streams that a camera offers is nearest to the one that is wanted."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from tiltbot_ros.errors import DeviceError

COLOR_FORMATS = ("rgb8", "bgr8")
"""Formats of colour that are understood, the cheapest first."""

DEPTH_FORMAT = "z16"


@dataclass(frozen=True, kw_only=True, slots=True)
class StreamProfile:
    """A stream that a camera offers.

    Attributes:
        stream: what it carries.
        format: of a pixel, in the camera's own words ("rgb8", "z16").
        width: columns [pixels].
        height: rows [pixels].
        rate_hz: frames per second [Hz].
    """

    stream: Literal["color", "depth"]
    format: str
    width: int
    height: int
    rate_hz: int

    def __str__(self) -> str:
        return f"{self.width} x {self.height} at {self.rate_hz} Hz"


@dataclass(frozen=True, kw_only=True, slots=True)
class ChosenProfiles:
    """Streams that are opened together, at one rate.

    Attributes:
        color: the colour stream.
        depth: the depth stream; None: colour only.
        remark: in what they fall short of what was wanted; empty when in nothing.
    """

    color: StreamProfile
    depth: StreamProfile | None
    remark: str


def choose_profiles(
    offered: Sequence[StreamProfile], *, width: int, height: int, rate_hz: float, depth: bool
) -> ChosenProfiles:
    """Choose the nearest streams.

    First of all the rate must suffice, as more frames than wanted are left
    out; then the wanted size, else the least that covers it, else the
    largest; then the slowest, which costs least. Colour and depth must have one
    rate, or most frames would find no partner. Depth is aligned to the colour
    afterwards, so that its size is only chosen nearest.

    Args:
        offered: what the camera can do.
        width: wanted columns [pixels].
        height: wanted rows [pixels].
        rate_hz: wanted frames per second [Hz].
        depth: depth is wanted, too.

    Raises:
        DeviceError: there is no colour, or no depth with the rate of any colour.
    """
    colors = [p for p in offered if p.stream == "color" and p.format in COLOR_FORMATS]
    depths = [p for p in offered if p.stream == "depth" and p.format == DEPTH_FORMAT]
    if depth:
        rates = {p.rate_hz for p in depths}
        colors = [p for p in colors if p.rate_hz in rates]
    if not colors:
        wanted = "colour (rgb8 or bgr8) and depth (z16) of one rate" if depth else "colour"
        raise DeviceError(
            f"expected a camera that offers {wanted}, it offers {_listing(offered)}: look at its "
            "cable (USB 3 offers more than USB 2), or set camera.depth to false"
        )
    color = min(
        colors,
        key=lambda p: (
            max(0.0, rate_hz * 0.99 - p.rate_hz),
            _size_distance(p, width, height),
            p.rate_hz,
            COLOR_FORMATS.index(p.format),
        ),
    )
    partner = None
    if depth:
        partner = min(
            (p for p in depths if p.rate_hz == color.rate_hz),
            key=lambda p: abs(p.width * p.height - width * height),
        )
    remark = ""
    if (color.width, color.height) != (width, height) or color.rate_hz < rate_hz * 0.99:
        remark = f"{width} x {height} at {rate_hz:g} Hz is not offered, the nearest is {color}"
    return ChosenProfiles(color=color, depth=partner, remark=remark)


def _size_distance(profile: StreamProfile, width: int, height: int) -> tuple[bool, int]:
    covers = profile.width >= width and profile.height >= height
    return not covers, abs(profile.width * profile.height - width * height)


def _listing(offered: Iterable[StreamProfile]) -> str:
    lines = sorted({f"{p.stream} {p.format} {p}" for p in offered})
    return "; ".join(lines) or "nothing"
