"""Makes the camera that a rig names; its library is imported only then."""

from collections.abc import Callable

from tiltbot_ros.errors import ConfigError
from tiltbot_ros.sensors.camera_file import FileCamera
from tiltbot_ros.sensors.cameras import CameraSettings, CameraSource
from tiltbot_ros.sensors.live_camera import LiveCamera


def open_camera(settings: CameraSettings, *, clock: Callable[[], int]) -> CameraSource:
    """Make the camera that the settings name.

    Args:
        settings: of the camera.
        clock: the ROS clock [ns].

    Raises:
        ConfigError: the source is 'simulated', which is the world node's to make.
        DeviceError: the file is not what it should be.
        MissingDependencyError: the camera's library is not installed.
    """
    if settings.source == "file":
        return FileCamera(settings, clock=clock)
    if settings.source == "realsense":
        from tiltbot_ros.sensors.realsense import RealSenseOpener  # noqa: PLC0415

        return LiveCamera(settings, opener=RealSenseOpener(settings, clock=clock))
    if settings.source == "uvc":
        from tiltbot_ros.sensors.uvc import UvcOpener  # noqa: PLC0415

        return LiveCamera(settings, opener=UvcOpener(settings, clock=clock))
    raise ConfigError(
        "expected source 'file', 'realsense' or 'uvc', got 'simulated': the simulated rig's "
        "pictures come from its world node"
    )
