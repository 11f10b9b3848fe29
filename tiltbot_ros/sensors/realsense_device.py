"""Finds a RealSense and tells what it is: profiles, model, depth scale, USB."""

import importlib
import math
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from tiltbot_ros.errors import DeviceError, MissingDependencyError
from tiltbot_ros.sensors.camera_profiles import StreamProfile
from tiltbot_ros.sensors.cameras import CameraIntrinsics

_MM_PER_M = 1000.0
_LEAST_MM, _MOST_MM = 0.001, 100.0
# Both are OpenCV's five coefficients; they differ in the tangential terms' second order.
_PLUMB_BOB = ("none", "brown_conrady", "modified_brown_conrady", "inverse_brown_conrady")


@dataclass(frozen=True, kw_only=True, slots=True)
class DeviceFacts:
    """What a device says of itself; empty where it says nothing.

    Attributes:
        name: product.
        serial: serial number.
        firmware: version.
        usb: version of the USB connection, such as "3.2".
    """

    name: str
    serial: str
    firmware: str
    usb: str

    @property
    def slow_usb(self) -> bool:
        """Whether it hangs on USB 2, which carries less than USB 3."""
        return self.usb.startswith("2")


def load_realsense() -> ModuleType:
    """Import pyrealsense2.

    Raises:
        MissingDependencyError: the Python package or the library libusb-1.0-0 is not installed.
    """
    try:
        return importlib.import_module("pyrealsense2")
    except ImportError as error:
        raise MissingDependencyError(
            f"expected the Python package 'pyrealsense2' and the system library libusb ({error}): "
            "pip install pyrealsense2; sudo apt-get install libusb-1.0-0"
        ) from error


def facts(rs: Any, device: Any) -> DeviceFacts:
    """Return what a device says of itself."""

    def told(what: Any) -> str:
        return str(device.get_info(what)) if device.supports(what) else ""

    info = rs.camera_info
    return DeviceFacts(
        name=told(info.name) or "RealSense",
        serial=told(info.serial_number),
        firmware=told(info.firmware_version),
        usb=told(info.usb_type_descriptor),
    )


def find_device(rs: Any, context: Any, serial: str) -> Any:
    """Return the device of a serial number, or the only one there is.

    Raises:
        DeviceError: there is none, or several and no serial number.
    """
    devices = list(context.query_devices())
    found = {facts(rs, device).serial: device for device in devices}
    listing = ", ".join(f"{facts(rs, device).name} {key}" for key, device in found.items())
    if serial:
        if serial in found:
            return found[serial]
        raise DeviceError(
            f"expected the RealSense with serial number '{serial}', found {listing or 'none'}: "
            "plug it in, or set camera.device"
        )
    if len(devices) == 1:
        return devices[0]
    if not devices:
        raise DeviceError(
            "expected a RealSense, found none: plug it in, and install librealsense's udev rules "
            "if only root finds it"
        )
    raise DeviceError(
        f"expected one RealSense, found {listing}: set camera.device to a serial number"
    )


def offered_profiles(rs: Any, device: Any) -> list[StreamProfile]:
    """Return the colour and depth streams that a device offers."""
    kinds = {rs.stream.color: "color", rs.stream.depth: "depth"}
    return [
        StreamProfile(
            stream="color" if kinds[profile.stream_type()] == "color" else "depth",
            format=profile.format().name,
            width=profile.as_video_stream_profile().width(),
            height=profile.as_video_stream_profile().height(),
            rate_hz=profile.fps(),
        )
        for sensor in device.query_sensors()
        for profile in sensor.get_stream_profiles()
        if profile.stream_type() in kinds and profile.is_video_stream_profile()
    ]


def color_intrinsics(profile: Any) -> CameraIntrinsics:
    """Return the model of a colour stream.

    Raises:
        DeviceError: its distortion is of another kind, such as a fisheye's.
    """
    model = profile.get_intrinsics()
    if model.model.name not in _PLUMB_BOB:
        raise DeviceError(
            f"expected a colour camera with one of the distortions {', '.join(_PLUMB_BOB)}, got "
            f"{model.model.name}"
        )
    return CameraIntrinsics(
        width=model.width,
        height=model.height,
        k=np.array([[model.fx, 0.0, model.ppx], [0.0, model.fy, model.ppy], [0.0, 0.0, 1.0]]),
        distortion=np.array(model.coeffs, np.float64),
    )


def depth_step_mm(device: Any) -> float:
    """Return the length of one step of a device's depth [mm].

    Raises:
        DeviceError: it has no depth, or the length is not plausible.
    """
    sensors = [sensor for sensor in device.query_sensors() if sensor.is_depth_sensor()]
    if not sensors:
        raise DeviceError("expected a camera with depth, it has none: set camera.depth to false")
    step_mm = float(sensors[0].as_depth_sensor().get_depth_scale()) * _MM_PER_M
    if not (math.isfinite(step_mm) and _LEAST_MM <= step_mm <= _MOST_MM):
        raise DeviceError(
            f"expected a depth scale between {_LEAST_MM / _MM_PER_M:g} and "
            f"{_MOST_MM / _MM_PER_M:g} m per step, the camera says {step_mm / _MM_PER_M:g}: reset "
            "its depth units (0.001) with realsense-viewer"
        )
    return step_mm


def in_millimetres(steps: npt.NDArray[np.uint16], step_mm: float) -> npt.NDArray[np.uint16]:
    """Return depth in millimetres, a copy; 0 where it is unknown or too far for 16 bits.

    Args:
        steps: (height, width) uint16 of the camera.
        step_mm: length of a step [mm].
    """
    if abs(step_mm - 1.0) < 1e-4:
        return np.array(steps, np.uint16)
    lengths: npt.NDArray[np.float32] = np.rint(steps * np.float32(step_mm))
    lengths[lengths > np.iinfo(np.uint16).max] = 0.0
    return lengths.astype(np.uint16)
