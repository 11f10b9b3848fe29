"""Sound: PortAudio, its input devices, and the rig's microphones, really listened to."""

import importlib
import math
import os
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiltbot_ros.doctor.findings import Finding, Needs, fail, ok, warn
from tiltbot_ros.errors import TiltbotError
from tiltbot_ros.sensors.microphones import MicrophoneSettings

_LISTEN_S = 0.6
_OPEN_S = 4.0
_UNPLUG = "plug it in, or set microphones.device in the rig's YAML; other programs must not hold it"


def examine(needs: Needs) -> list[Finding]:
    """Examine sound cards as far as the rig needs them, and list them anyway."""
    settings = needs.microphones
    if settings.source == "file":
        return [_file(settings)]
    # A look at the devices must not start a JACK server.
    os.environ.setdefault("JACK_NO_START_SERVER", "1")
    wanted = settings.source == "sounddevice"
    try:
        # It fails on import when the library PortAudio is not there.
        portaudio: Any = importlib.import_module("tiltbot_ros.sensors.portaudio")
        sounddevice = portaudio.load_sounddevice()
        version = sounddevice.get_portaudio_version()[1].split(",")[0]
        devices = _listing(sounddevice)
    except Exception as error:  # noqa: BLE001 - PortAudio's own error has no common base
        if wanted:
            return [fail("PortAudio", str(error), "sudo apt-get install libportaudio2")]
        return [ok("PortAudio", f"not usable ({error}); rig '{needs.rig}' does not need it")]
    found = [ok("PortAudio", version), ok("input devices", "; ".join(devices) or "none")]
    if wanted:
        return [*found, _listen(portaudio, sounddevice, settings)]
    text = f"simulated; rig '{needs.rig}' needs no sound card"
    return [*found, ok("microphones", text)]


def _file(settings: MicrophoneSettings) -> Finding:
    if Path(settings.path).is_file():
        return ok("microphones", f"the file {settings.path}")
    advice = "set microphones.path in the rig's YAML"
    return fail("microphones", f"expected a sound file at '{settings.path}', found none", advice)


def _listing(sounddevice: Any) -> list[str]:
    return [
        f"{index}: {device['name']} ({device['max_input_channels']} channels, "
        f"{device['default_samplerate']:.0f} Hz)"
        for index, device in enumerate(sounddevice.query_devices())
        if device["max_input_channels"] > 0
    ]


def _listen(portaudio: Any, sounddevice: Any, settings: MicrophoneSettings) -> Finding:
    """Open the rig's device as the microphone node does, and look at every channel."""
    heard = _Heard(settings.channels)
    try:
        index, name = portaudio.find_device(sounddevice, settings)
        stream = portaudio.open_input(sounddevice, settings, index=index, callback=heard.take)
    except TiltbotError as error:
        return fail("microphones", str(error), _UNPLUG)
    heard.first.wait(_OPEN_S)
    time.sleep(_LISTEN_S)
    stream.close()
    portaudio.shut_down(sounddevice)
    what = f"{name}: {settings.channels} x {settings.sample_rate_hz} Hz, {settings.bits} bits"
    if not heard.frames:
        return fail("microphones", f"{what}; opened, but no sound came in {_OPEN_S:g} s", _UNPLUG)
    levels = ", ".join(
        "silent" if peak == 0.0 else f"{20 * math.log10(peak):.0f}" for peak in heard.peaks
    )
    text = f"{what}; peaks {levels} dBFS"
    if not heard.peaks.all():
        dead = [str(channel) for channel in np.flatnonzero(heard.peaks == 0.0)]
        advice = "a live microphone is never digitally silent: look at its cable, gain and mute"
        return warn("microphones", f"{text}; channel {', '.join(dead)} gives only zeros", advice)
    if heard.peaks.max() >= 1.0:
        return warn("microphones", f"{text}: clipped", "lower the gain of the preamplifier")
    return ok("microphones", text)


class _Heard:
    """What PortAudio's callback has brought.

    Attributes:
        first: set with the first block.
        frames: so many came.
        peaks: (channels,) greatest magnitude, 1 is digital full scale.
    """

    def __init__(self, channels: int) -> None:
        self.first = threading.Event()
        self.frames = 0
        self.peaks: NDArray[np.float64] = np.zeros(channels)

    def take(
        self, samples: NDArray[np.float32], frames: int, _time: object, _flags: object
    ) -> None:
        """Take in one block."""
        self.peaks = np.maximum(self.peaks, np.abs(samples).max(axis=0))
        self.frames += frames
        self.first.set()
