"""An Intel RealSense, or a recording of one, through librealsense's pipeline."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tiltbot_ros.errors import DeviceError
from tiltbot_ros.sensors.camera_clock import Domain, LiveStamps, ReplayedStamps, Stamps
from tiltbot_ros.sensors.camera_pairing import FrameJudge
from tiltbot_ros.sensors.camera_profiles import ChosenProfiles, choose_profiles
from tiltbot_ros.sensors.camera_rate import Decimator
from tiltbot_ros.sensors.cameras import CameraIntrinsics, CameraSettings, RgbdFrame, Tally
from tiltbot_ros.sensors.realsense_device import (
    DeviceFacts,
    color_intrinsics,
    depth_step_mm,
    facts,
    find_device,
    in_millimetres,
    load_realsense,
    offered_profiles,
)

_NS = 1_000_000_000
_QUEUE = 4


class RealSenseStream:
    """An open pipeline: colour, and depth aligned to it.

    Frames are taken from a queue of our own, not by the pipeline's
    `wait_for_frames`: that tries to reconnect by itself and holds its caller
    for up to 15 s when the device is gone.
    """

    def __init__(
        self,
        rs: Any,
        pipeline: Any,
        queue: Any,
        *,
        profile: Any,
        chosen: ChosenProfiles,
        settings: CameraSettings,
        stamps: Stamps,
        tally: Tally,
    ) -> None:
        self._pipeline = pipeline
        self._queue = queue
        self._tally = tally
        self._stamps = stamps
        device = profile.get_device()
        self._playback = device.as_playback() if device.is_playback() else None
        self._stopped = rs.playback_status.stopped
        self._align = rs.align(rs.stream.color)
        self._flip = chosen.color.format == "bgr8"
        self._step_mm = depth_step_mm(device) if chosen.depth else 0.0
        self._has_depth = chosen.depth is not None
        rate_hz = chosen.color.rate_hz
        self._judge = FrameJudge(rate_hz=rate_hz, tally=tally)
        self._decimator = Decimator(rate_hz=settings.rate_hz, stream_hz=rate_hz)
        self.facts: DeviceFacts = facts(rs, device)
        self.chosen = chosen
        color = profile.get_stream(rs.stream.color).as_video_stream_profile()
        self.intrinsics: CameraIntrinsics = color_intrinsics(color)

    @property
    def name(self) -> str:
        """Device, size and rate, for a person."""
        usb = f", USB {self.facts.usb}" if self.facts.usb else ""
        depth = f", depth {self.chosen.depth}" if self.chosen.depth else ""
        return f"{self.facts.name} {self.facts.serial}: colour {self.chosen.color}{depth}{usb}"

    @property
    def remark(self) -> str:
        """In what it falls short of the settings."""
        return self.chosen.remark

    @property
    def depth_step_mm(self) -> float:
        """Length of one step of the device's own depth [mm]; 0 without depth."""
        return self._step_mm

    @property
    def ended(self) -> bool:
        """Whether it is a recording that was played to its end."""
        return self._playback is not None and self._playback.current_status() == self._stopped

    def read(self, timeout_s: float) -> RgbdFrame | None:
        """Wait for the next frame of the wanted rate; None when it did not come in time.

        Raises:
            DeviceError: librealsense says that the device is gone.
        """
        deadline_ns = time.monotonic_ns() + round(timeout_s * _NS)
        try:
            while (left_ns := deadline_ns - time.monotonic_ns()) > 0:
                came, frame = self._queue.try_wait_for_frame(max(1, left_ns // 1_000_000))
                if not came:
                    return None
                taken = self._take(frame.as_frameset(), time.monotonic_ns())
                if taken is not None:
                    return taken
        except RuntimeError as error:
            raise DeviceError(f"{self.name}: {error}") from error
        return None

    def close(self) -> None:
        """Stop the pipeline."""
        try:
            self._pipeline.stop()
        except RuntimeError:
            # It complains when the device was pulled out, and has stopped all the same.
            return

    def _take(self, frames: Any, arrived_ns: int) -> RgbdFrame | None:
        color = frames.get_color_frame()
        depth = frames.get_depth_frame() if self._has_depth else None
        if not color or (self._has_depth and not depth):
            return None
        domain: Domain = color.get_frame_timestamp_domain().name
        self._tally.domain = domain
        if depth and (other := depth.get_frame_timestamp_domain().name) != domain:
            self._tally.domain = f"{domain} (depth: {other})"
        color_ms = color.get_timestamp()
        good = self._judge.judge(
            number=color.get_frame_number(),
            color_ms=color_ms,
            depth_ms=depth.get_timestamp() if depth else None,
        )
        if not good:
            return None
        stamp_ns = self._stamps.stamp_ns(color_ms, domain, arrived_ns=arrived_ns)
        if stamp_ns is None or not self._decimator.wants(stamp_ns):
            return None
        pixels = np.asanyarray(color.get_data())
        return RgbdFrame(
            stamp_ns=stamp_ns,
            # The library's memory is used again as soon as the frame is let go.
            color=np.array(pixels[..., ::-1] if self._flip else pixels, np.uint8, order="C"),
            depth=self._aligned_mm(frames) if depth else None,
            intrinsics=self.intrinsics,
        )

    def _aligned_mm(self, frames: Any) -> npt.NDArray[np.uint16]:
        aligned = self._align.process(frames).get_depth_frame()
        return in_millimetres(np.asanyarray(aligned.get_data()), self._step_mm)


class RealSenseOpener:
    """Opens a RealSense by its serial number, or a recording by its path.

    Args:
        settings: with source 'realsense'.
        clock: the ROS clock [ns].
        select: makes a pipeline (first argument) with a configuration (second) use a
            device, and returns that; the plugged-in one unless given.

    Raises:
        MissingDependencyError: pyrealsense2 or libusb is not installed.
    """

    def __init__(
        self,
        settings: CameraSettings,
        *,
        clock: Callable[[], int],
        select: Callable[[Any, Any], Any] | None = None,
    ) -> None:
        self._rs: Any = load_realsense()
        self._select = select or self._plugged_in
        self._settings = settings
        self._clock = clock
        self._context: Any = None

    def open(self, tally: Tally) -> RealSenseStream:
        """Choose profiles and start the pipeline.

        Raises:
            DeviceError: the device or the recording is absent or refuses.
        """
        try:
            return self._start(tally)
        except RuntimeError as error:
            what = self._settings.path or self._settings.device or "the RealSense"
            raise DeviceError(f"expected {what} to start, librealsense says: {error}") from error

    def _start(self, tally: Tally) -> RealSenseStream:
        rs, settings = self._rs, self._settings
        if self._context is None:
            self._context = rs.context()
        pipeline = rs.pipeline(self._context)
        config = rs.config()
        select = self._recorded if settings.path else self._select
        device = select(pipeline, config)
        chosen = choose_profiles(
            offered_profiles(rs, device),
            width=settings.width,
            height=settings.height,
            rate_hz=settings.rate_hz,
            depth=settings.has_depth,
        )
        for stream in filter(None, (chosen.color, chosen.depth)):
            config.enable_stream(
                getattr(rs.stream, stream.stream),
                stream.width,
                stream.height,
                getattr(rs.format, stream.format),
                stream.rate_hz,
            )
        queue = rs.frame_queue(_QUEUE)
        profile = pipeline.start(config, queue)
        try:
            if not settings.path:
                self._use_global_time(profile.get_device())
            return RealSenseStream(
                rs,
                pipeline,
                queue,
                profile=profile,
                chosen=chosen,
                settings=settings,
                stamps=self._stamps(tally),
                tally=tally,
            )
        except (DeviceError, RuntimeError):
            pipeline.stop()
            raise

    def _plugged_in(self, _: Any, config: Any) -> Any:
        # Asked for first, as a pipeline waits 15 s for a device that is not there.
        device = find_device(self._rs, self._context, self._settings.device)
        config.enable_device(facts(self._rs, device).serial)
        return device

    def _recorded(self, pipeline: Any, config: Any) -> Any:
        path = self._settings.path
        if not Path(path).is_file():
            raise DeviceError(f"expected a recording (.db3) of a RealSense at {path}, found none")
        config.enable_device_from_file(path, repeat_playback=False)
        probe = self._rs.config()
        probe.enable_device_from_file(path, repeat_playback=False)
        return probe.resolve(pipeline).get_device()

    def _use_global_time(self, device: Any) -> None:
        """Ask for stamps on the computer's clock; set after the start, or it does not hold."""
        option = self._rs.option.global_time_enabled
        for sensor in device.query_sensors():
            if sensor.supports(option):
                sensor.set_option(option, 1.0)

    def _stamps(self, tally: Tally) -> Stamps:
        if self._settings.path:
            return ReplayedStamps(clock=self._clock)
        return LiveStamps(clock=self._clock, tally=tally, latency_s=self._settings.latency_s)
