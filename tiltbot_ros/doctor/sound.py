"""Sound: PortAudio, its input devices, and the rig's microphones among them."""

import importlib
from pathlib import Path

from tiltbot_ros.doctor.findings import Finding, Needs, fail, ok
from tiltbot_ros.errors import TiltbotError
from tiltbot_ros.sensors.microphones import MicrophoneSettings


def examine(needs: Needs) -> list[Finding]:
    """Examine sound cards as far as the rig needs them, and list them anyway."""
    settings = needs.microphones
    if settings.source == "file":
        return [_file(settings)]
    wanted = settings.source == "sounddevice"
    try:
        # It fails on import when the library PortAudio is not there.
        portaudio = importlib.import_module("tiltbot_ros.sensors.portaudio")
        sounddevice = portaudio.load_sounddevice()
        version = sounddevice.get_portaudio_version()[1].split(",")[0]
        devices = _listing(sounddevice)
    except Exception as error:  # noqa: BLE001 - PortAudio's own error has no common base
        advice = "sudo apt-get install libportaudio2"
        if wanted:
            return [fail("PortAudio", str(error), advice)]
        return [ok("PortAudio", f"not usable ({error}); rig '{needs.rig}' does not need it")]
    found = [ok("PortAudio", version), ok("input devices", "; ".join(devices) or "none")]
    if not wanted:
        found.append(ok("microphones", f"simulated; rig '{needs.rig}' needs no sound card"))
        return found
    try:
        index, name = portaudio.find_device(sounddevice, settings)
        sounddevice.check_input_settings(
            device=index,
            channels=settings.channels,
            samplerate=settings.sample_rate_hz,
            dtype="int16" if settings.bits == 16 else "int24",
        )
    except TiltbotError as error:
        advice = "plug it in, or set microphones.device in the rig's YAML"
        found.append(fail("microphones", str(error), advice))
    except Exception as error:  # noqa: BLE001 - as above
        found.append(
            fail(
                "microphones",
                f"expected {_format(settings)} of {name!r}, it refuses: {error}",
                "set rate, channels and bits to what the device has, or choose another",
            )
        )
    else:
        found.append(ok("microphones", f"{name}: {_format(settings)}"))
    return found


def _file(settings: MicrophoneSettings) -> Finding:
    if Path(settings.path).is_file():
        return ok("microphones", f"the file {settings.path}")
    advice = "set microphones.path in the rig's YAML"
    return fail("microphones", f"expected a sound file at '{settings.path}', found none", advice)


def _listing(sounddevice: object) -> list[str]:
    query = getattr(sounddevice, "query_devices")  # noqa: B009 - the module has no types
    return [
        f"{index}: {device['name']} ({device['max_input_channels']} channels, "
        f"{device['default_samplerate']:.0f} Hz)"
        for index, device in enumerate(query())
        if device["max_input_channels"] > 0
    ]


def _format(settings: MicrophoneSettings) -> str:
    return f"{settings.channels} x {settings.sample_rate_hz} Hz, {settings.bits} bits"
