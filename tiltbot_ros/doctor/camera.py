"""The camera: its library, the device, its profiles, and frames that really come."""

import importlib.metadata
import itertools
import time
from collections.abc import Callable

import numpy as np

from tiltbot_ros.doctor.findings import Finding, Needs, fail, ok, warn
from tiltbot_ros.errors import MissingDependencyError, TiltbotError
from tiltbot_ros.sensors.cameras import CameraSettings, RgbdFrame, Tally
from tiltbot_ros.sensors.live_camera import CameraStream

_LOOK_S = 3.0
_FIRST_S = 8.0
_ENOUGH = 8
_BRIGHT, _DARK = 250.0, 5.0
_ADVICE = "set camera.width, height and rate_hz in the rig's YAML to what it offers"


def examine(needs: Needs) -> list[Finding]:
    """Examine the rig's camera as the camera node would use it."""
    settings = needs.camera
    if settings is None:
        return [ok("camera", f"rig '{needs.rig}' has none")]
    if settings.source == "simulated":
        return [ok("camera", f"simulated; rig '{needs.rig}' needs no device")]
    if settings.source == "file":
        return [_file(settings)]
    if settings.source == "realsense":
        return _realsense(settings)
    return _webcam(settings)


def _file(settings: CameraSettings) -> Finding:
    from tiltbot_ros.sensors.camera_file import FileCamera  # noqa: PLC0415 - it imports OpenCV

    try:
        FileCamera(settings, clock=time.time_ns)
    except TiltbotError as error:
        return fail("camera", str(error), "set camera.path in the rig's YAML")
    return ok("camera", f"the file {settings.path}")


def _realsense(settings: CameraSettings) -> list[Finding]:
    from tiltbot_ros.sensors.realsense import RealSenseOpener  # noqa: PLC0415 - only where needed

    try:
        opener = RealSenseOpener(settings, clock=time.time_ns)
    except MissingDependencyError as error:
        advice = "pip install pyrealsense2; sudo apt-get install libusb-1.0-0"
        return [fail("pyrealsense2", str(error), advice)]
    found = [ok("pyrealsense2", importlib.metadata.version("pyrealsense2"))]
    tally = Tally()
    try:
        stream = opener.open(tally)
    except TiltbotError as error:
        return [*found, fail("camera", str(error), "realsense-viewer shows what is plugged in")]
    facts = stream.facts
    firmware = f", firmware {facts.firmware}" if facts.firmware else ""
    found.append(ok("camera", f"{facts.name} {facts.serial}{firmware}"))
    if facts.slow_usb:
        advice = "use a USB 3 cable (blue, short) at a USB 3 port: USB 2 offers fewer profiles"
        found.append(warn("USB", f"the camera is connected by USB {facts.usb}", advice))
    elif facts.usb:
        found.append(ok("USB", facts.usb))
    found.append(_profile(stream, f"colour {stream.chosen.color}, depth {stream.chosen.depth}"))
    if stream.chosen.depth is not None:
        found.append(ok("depth scale", f"{stream.depth_step_mm:g} mm a step"))
    return [*found, *_look(stream, settings, tally)]


def _webcam(settings: CameraSettings) -> list[Finding]:
    from tiltbot_ros.sensors.uvc import UvcOpener, webcams  # noqa: PLC0415 - it imports OpenCV

    tally = Tally()
    try:
        stream = UvcOpener(settings, clock=time.time_ns).open(tally)
    except TiltbotError as error:
        advice = f"set camera.device to one of: {', '.join(webcams()) or '(none is plugged in)'}"
        return [fail("camera", str(error), advice)]
    found = [_profile(stream, stream.name)]
    if not settings.matrix:
        advice = "calibrate it and set camera.matrix, if the object is to be tracked"
        found.append(warn("model", "not known: the rig runs without the tracker", advice))
    return [*found, *_look(stream, settings, tally)]


def _profile(stream: CameraStream, text: str) -> Finding:
    return warn("profile", stream.remark, _ADVICE) if stream.remark else ok("profile", text)


def _look(stream: CameraStream, settings: CameraSettings, tally: Tally) -> list[Finding]:
    """Take frames for some seconds and judge them."""
    try:
        frames = _take(stream.read, settings, ended=lambda: stream.ended)
    except TiltbotError as error:
        return [fail("frames", str(error), "look at its cable; unplug it and plug it in again")]
    finally:
        stream.close()
    if not frames:
        text = f"{tally.seen} colour frames came, none could be used"
        if tally.unmatched:
            text += f": {tally.unmatched} had no depth frame near enough in time"
        return [fail("frames", text, "unplug the camera and plug it in again")]
    return [_rate(frames, settings, tally), _stamps(settings, tally), *_picture(frames[-1])]


def _take(
    read: Callable[[float], RgbdFrame | None],
    settings: CameraSettings,
    *,
    ended: Callable[[], bool],
) -> list[RgbdFrame]:
    frames: list[RgbdFrame] = []
    deadline = time.monotonic() + _FIRST_S
    while time.monotonic() < deadline and len(frames) < _ENOUGH * max(1.0, settings.rate_hz / 6.0):
        frame = read(0.2)
        if frame is not None:
            if not frames:
                deadline = time.monotonic() + _LOOK_S
            frames.append(frame)
        elif ended():
            break
    return frames


def _rate(frames: list[RgbdFrame], settings: CameraSettings, tally: Tally) -> Finding:
    text = f"{len(frames)} taken, {tally.dropped} of the device's {tally.seen} lost"
    periods = [after.stamp_ns - before.stamp_ns for before, after in itertools.pairwise(frames)]
    if periods:
        rate_hz = 1e9 / float(np.median(periods))
        text = f"{rate_hz:.1f} Hz; {text}"
        if rate_hz < 0.8 * settings.rate_hz:
            advice = "more light, or a fixed exposure: cameras slow down in the dark"
            return warn("frames", f"{text}; {settings.rate_hz:g} Hz are wanted", advice)
    if tally.dropped:
        return warn("frames", text, "give the camera a USB controller of its own, and stop others")
    return ok("frames", text)


def _stamps(settings: CameraSettings, tally: Tally) -> Finding:
    if settings.path:
        return ok("stamps", "of a recording: played as if it were taken now")
    text = f"of {tally.domain}"
    if tally.restamped:
        advice = "let NTP settle first; stamps that cannot be believed are made from arrivals"
        return warn("stamps", f"{text}, {tally.restamped} not to be believed", advice)
    if settings.source == "realsense" and tally.domain != "global_time":
        advice = (
            "install the kernel patches of librealsense, or its build with RSUSB: without frame "
            "metadata stamps are those of arrivals"
            if tally.domain == "system_time"
            else "measure the delay from exposure to arrival and set camera.latency_s"
        )
        return warn("stamps", text, advice)
    if tally.domain == "arrival" and not settings.latency_s:
        advice = "measure the delay from exposure to arrival and set camera.latency_s"
        return warn("stamps", text, advice)
    return ok("stamps", text)


def _picture(frame: RgbdFrame) -> list[Finding]:
    mean = float(frame.color.mean())
    found = [ok("picture", f"mean brightness {mean:.0f} of 255")]
    if not _DARK < mean < _BRIGHT:
        advice = "light the tray, take the lens cap off, and look at the exposure"
        found = [warn("picture", f"mean brightness {mean:.0f} of 255", advice)]
    if frame.depth is not None:
        known = 100.0 * float((frame.depth > 0).mean())
        text = f"known at {known:.0f} % of the pixels"
        if known < 30.0:
            advice = "mount it 0.4 to 0.8 m above the tray, and keep the sun and gloss away"
            found.append(warn("depth", text, advice))
        else:
            found.append(ok("depth", text))
    return found
