"""Makes the microphones that a rig names; their library is imported only then."""

from collections.abc import Callable

from tiltbot_ros.errors import ConfigError
from tiltbot_ros.sensors.microphones import MicrophoneSettings, MicrophoneSource


def open_microphones(settings: MicrophoneSettings, *, clock: Callable[[], int]) -> MicrophoneSource:
    """Make the source that the settings name; only its own library is imported.

    Args:
        settings: of the microphones.
        clock: the ROS clock [ns].

    Raises:
        ConfigError: the source is 'simulated', which is the world node's to make.
        AudioError: the file is not what the settings say.
        MissingDependencyError: a library or system package is not installed.
    """
    if settings.source == "file":
        from tiltbot_ros.sensors.file_source import FileMicrophones  # noqa: PLC0415

        return FileMicrophones(settings, clock=clock)
    if settings.source == "sounddevice":
        from tiltbot_ros.sensors.sounddevice_source import (  # noqa: PLC0415
            SounddeviceMicrophones,
        )

        return SounddeviceMicrophones(settings, clock=clock)
    raise ConfigError(
        "expected source 'sounddevice' or 'file', got 'simulated': the simulated rig's sound comes "
        "from its world node"
    )
