"""A RealSense without hardware: librealsense's own software device, live or recorded.

What is real: the pipeline, its syncer and aggregator, profile resolution,
alignment, playback. What is not: USB, firmware, the times of real frames.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyrealsense2 as rs

FOCAL = 60.0
BASELINE_M = 0.02
NEAR_MM, FAR_MM = 400, 800


@dataclass(frozen=True, kw_only=True, slots=True)
class Shot:
    """One pair of frames; None leaves one out.

    Attributes:
        number: of the colour frame, which also colours its pixels.
        color_ms: its time.
        depth_ms: time of the depth frame.
        depth_number: of the depth frame; that of the colour frame unless given.
    """

    number: int | None
    color_ms: float = 0.0
    depth_ms: float | None = None
    depth_number: int | None = None


def evenly(count: int, rate_hz: float, *, first: int = 100, start_ms: float = 5000.0) -> list[Shot]:
    """Shots at a steady rate, depth and colour at one time."""
    times = [start_ms + index * 1000.0 / rate_hz for index in range(count)]
    return [Shot(number=first + k, color_ms=ms, depth_ms=ms) for k, ms in enumerate(times)]


def color_of(number: int) -> tuple[int, int, int]:
    """Every pixel of a colour frame: red, green, blue."""
    return number % 251, (3 * number) % 251, 7


def depth_steps(width: int, height: int) -> np.ndarray:
    """A far wall, and nearer in its middle a square."""
    steps = np.full((height, width), FAR_MM, np.uint16)
    steps[height // 4 : 3 * height // 4, width // 3 : 2 * width // 3] = NEAR_MM
    return steps


class SoftwareRealSense:
    """A device with one depth stream and some colour streams, of which one is fed.

    Args:
        serial: serial number.
        size: width and height [pixels].
        rate_hz: of every stream.
        color_format: "rgb8" or "bgr8".
        depth_units: metres per step.
        usb: version of the USB connection.
        model: name of the colour camera's distortion.
        domain: name of the clock of the frames' times.
        depth_domain: the same of the depth frames, where it differs.
    """

    def __init__(
        self,
        *,
        serial: str = "77",
        size: tuple[int, int] = (64, 48),
        rate_hz: int = 30,
        color_format: str = "rgb8",
        depth_units: float = 0.001,
        usb: str = "3.2",
        model: str = "brown_conrady",
        domain: str = "system_time",
        depth_domain: str = "",
    ) -> None:
        self.size = size
        self._depth_domain = depth_domain or domain
        self._format, self._units = color_format, depth_units
        self.domain = domain
        self.device = rs.software_device()
        info = rs.camera_info
        for key, value in (
            (info.name, "Software D435"),
            (info.serial_number, serial),
            (info.firmware_version, "5.16.0.1"),
            (info.usb_type_descriptor, usb),
        ):
            self.device.register_info(key, value)
        self._depth = self.device.add_sensor("Stereo Module")
        self._color = self.device.add_sensor("RGB Camera")
        self._depth.add_read_only_option(rs.option.depth_units, depth_units)
        self._depth_profile = self._add(self._depth, "depth", "z16", 2, 1, rate_hz, "none")
        self._color_profile = self._add(self._color, "color", color_format, 3, 2, rate_hz, model)
        extrinsics = rs.extrinsics()
        extrinsics.rotation = [1, 0, 0, 0, 1, 0, 0, 0, 1]
        extrinsics.translation = [BASELINE_M, 0, 0]
        self._depth_profile.register_extrinsics_to(self._color_profile, extrinsics)
        self.device.create_matcher(rs.matchers.dlr_c)

    def _add(
        self, sensor: Any, kind: str, pixel: str, octets: int, uid: int, rate_hz: int, model: str
    ) -> Any:
        width, height = self.size
        stream = rs.video_stream()
        stream.type, stream.fmt = getattr(rs.stream, kind), getattr(rs.format, pixel)
        stream.index, stream.uid, stream.bpp, stream.fps = 0, uid, octets, rate_hz
        stream.width, stream.height = width, height
        lens = rs.intrinsics()
        lens.width, lens.height = width, height
        lens.fx = lens.fy = FOCAL
        lens.ppx, lens.ppy = width / 2 - 0.5, height / 2 - 0.5
        lens.model = getattr(rs.distortion, model)
        lens.coeffs = [0.0] * 5
        stream.intrinsics = lens
        return sensor.add_video_stream(stream, True)

    def select(self, pipeline: Any, _: Any) -> Any:
        """Make a pipeline use this device, as if it were plugged in."""
        pipeline.set_device(self.device)
        return self.device

    def shoot(self, shot: Shot) -> None:
        """Feed one pair of frames."""
        width, height = self.size
        if shot.depth_ms is not None:
            number = shot.number if shot.depth_number is None else shot.depth_number
            self._feed(
                self._depth, self._depth_profile, depth_steps(width, height), number, shot.depth_ms
            )
        if shot.number is not None:
            color = color_of(shot.number)
            pixels = np.full((height, width, 3), color[:: -1 if self._format == "bgr8" else 1])
            self._feed(
                self._color,
                self._color_profile,
                pixels.astype(np.uint8),
                shot.number,
                shot.color_ms,
            )

    def _feed(self, sensor: Any, profile: Any, pixels: np.ndarray, number: Any, ms: float) -> None:
        frame = rs.software_video_frame()
        frame.bpp = pixels.itemsize * (3 if pixels.ndim == 3 else 1)
        frame.stride = self.size[0] * frame.bpp
        frame.timestamp, frame.frame_number = ms, number
        domain = self._depth_domain if sensor is self._depth else self.domain
        frame.domain = getattr(rs.timestamp_domain, domain)
        frame.profile = profile.as_video_stream_profile()
        frame.pixels = pixels
        if pixels.dtype == np.uint16:
            frame.depth_units = self._units
        sensor.on_video_frame(frame)

    def record(self, path: Path, shots: Iterable[Shot], *, pause_s: float) -> Path:
        """Write a recording; playback keeps the pace of the feeding, not of the stamps."""
        recorder = rs.recorder(str(path), self.device)
        sensors = recorder.query_sensors()
        for sensor, profile in zip(
            sensors, (self._depth_profile, self._color_profile), strict=True
        ):
            sensor.open(profile)
            sensor.start(rs.frame_queue(1))
        begin = time.monotonic()
        for index, shot in enumerate(shots):
            self.shoot(shot)
            time.sleep(max(0.0, begin + (index + 1) * pause_s - time.monotonic()))
        for sensor in sensors:
            sensor.stop()
            sensor.close()
        recorder.pause()
        return path


def wait_until(condition: Callable[[], object], timeout_s: float = 20.0) -> None:
    """Wait until something holds; fail when it does not."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.005)
