"""Finds and opens PortAudio input devices, with errors that say what to do."""

import atexit
from types import ModuleType
from typing import Any

from tiltbot_ros.errors import DeviceError, MissingDependencyError
from tiltbot_ros.sensors.microphones import MicrophoneSettings


def load_sounddevice() -> ModuleType:
    """Import sounddevice.

    Raises:
        MissingDependencyError: the Python package or the library libportaudio2 is not installed.
    """
    try:
        import sounddevice  # noqa: PLC0415
    except ImportError as error:
        raise MissingDependencyError(
            "expected the Python package 'sounddevice' for microphones with source 'sounddevice': "
            "pip install sounddevice"
        ) from error
    except OSError as error:
        raise MissingDependencyError(
            f"expected the system library PortAudio ({error}): sudo apt-get install libportaudio2"
        ) from error
    module: ModuleType = sounddevice
    return module


def input_devices(sounddevice: ModuleType) -> list[tuple[int, str, int]]:
    """Return index, name and number of channels of each input device there is."""
    return [
        (index, str(device["name"]), int(device["max_input_channels"]))
        for index, device in enumerate(sounddevice.query_devices())
        if device["max_input_channels"] > 0
    ]


def find_device(sounddevice: ModuleType, settings: MicrophoneSettings) -> tuple[int, str]:
    """Return index and name of the device that the settings name.

    An index, else a whole name, else a part of exactly one name; upper and
    lower case are the same.

    Raises:
        DeviceError: none or several fit, or it has fewer channels than wanted.
    """
    devices = input_devices(sounddevice)
    listing = "; ".join(f"{i}: {name!r}, {n} channels" for i, name, n in devices) or "none"
    wanted = settings.device.strip()
    if not wanted:
        default = sounddevice.default.device[0]
        fitting = [device for device in devices if device[0] == default]
    elif wanted.isdecimal():
        fitting = [device for device in devices if device[0] == int(wanted)]
    else:
        fitting = [d for d in devices if d[1].casefold() == wanted.casefold()]
        fitting = fitting or [d for d in devices if wanted.casefold() in d[1].casefold()]
    what = f"the device {wanted!r}" if wanted else "a default input device"
    if not fitting:
        raise DeviceError(f"expected {what}, found no such input device. Found: {listing}")
    if len(fitting) > 1:
        raise DeviceError(
            f"expected one device for {wanted!r}, found {len(fitting)}: give the index. "
            f"Found: {listing}"
        )
    index, name, channels = fitting[0]
    if channels < settings.channels:
        raise DeviceError(
            f"expected {settings.channels} channels of {name!r}, it has {channels}: set channels "
            f"to at most {channels} or choose another device. Found: {listing}"
        )
    return index, name


def open_input(
    sounddevice: ModuleType, settings: MicrophoneSettings, *, index: int, callback: Any
) -> Any:
    """Open and start a float32 input stream on a device.

    Float32 is asked for because it is the one type that is exact everywhere:
    PortAudio turns 16- and 24-bit integers into it by a power of two, while its
    way from float32 to integers scales by 2^15 - 1 and dithers.

    Args:
        sounddevice: the module.
        settings: rate, channels and latency.
        index: of the device.
        callback: as sounddevice's `InputStream` takes it.

    Raises:
        DeviceError: the device refuses the rate or the format, or is in use.
    """
    name = sounddevice.query_devices(index)["name"]
    try:
        stream = sounddevice.InputStream(
            device=index,
            channels=settings.channels,
            samplerate=settings.sample_rate_hz,
            dtype="float32",
            blocksize=0,
            latency=settings.latency_s,
            clip_off=True,
            dither_off=True,
            callback=callback,
        )
    except sounddevice.PortAudioError as error:
        usual = sounddevice.query_devices(index)["default_samplerate"]
        raise DeviceError(
            f"expected {name!r} to open with {settings.channels} channels at "
            f"{settings.sample_rate_hz} Hz, it refused ({error}); its default rate is "
            f"{usual:.0f} Hz. Set sample_rate_hz and channels to what it supports, and close other "
            "programs that use it"
        ) from error
    try:
        stream.start()
    except sounddevice.PortAudioError as error:
        stream.close()
        raise DeviceError(f"expected {name!r} to start, it refused: {error}") from error
    return stream


def rescan(sounddevice: ModuleType) -> None:
    """Look for devices anew, as PortAudio lists them only when it starts.

    Raises:
        DeviceError: PortAudio cannot start.
    """
    shut_down(sounddevice)
    try:
        sounddevice._initialize()  # noqa: SLF001 there is no public name for it
    except sounddevice.PortAudioError as error:
        raise DeviceError(f"expected PortAudio to look for devices anew: {error}") from error


def shut_down(sounddevice: ModuleType) -> None:
    """Leave every sound server; PortAudio aborts the process if one of JACK ends before that."""
    while sounddevice._initialized:  # noqa: SLF001
        sounddevice._terminate()  # noqa: SLF001


def is_jack(sounddevice: ModuleType, stream: Any) -> bool:
    """Whether a stream runs on a JACK server."""
    api = sounddevice.query_devices(stream.device)["hostapi"]
    return "JACK" in str(sounddevice.query_hostapis(api)["name"])


def abandon(sounddevice: ModuleType) -> None:
    """Never shut PortAudio down: with a dead JACK server, that would abort the process."""
    atexit.unregister(sounddevice._exit_handler)  # noqa: SLF001
