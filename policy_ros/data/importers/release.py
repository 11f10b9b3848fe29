"""The Tilt-Bot release (Gandhi et al., 2020) as recordings.

`<object>/<experiment>/{rgb,depth,data,audio}` as it is downloaded: videos with
their lists of time stamps, a pickle of states, one MP3 file a microphone; or
as its own script unpacks it: picture files, and one WAV file.
"""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from policy_ros.data.importers.release_names import Experiment
from policy_ros.data.importers.release_settings import ReleaseSettings
from policy_ros.data.importers.release_sound import ReleaseSound, open_sound
from policy_ros.data.importers.release_states import ReleaseStates
from policy_ros.data.importers.release_video import ReleasePictures, open_pictures
from policy_ros.data.importers.source import (
    Described,
    Message,
    mean_hz,
    merged,
    pose_message,
    recorded,
    sound_messages,
    sound_topics,
    tilt_message,
)
from tiltbot_ros import topics
from tiltbot_ros.episodes.topics import RecordedTopic
from tiltbot_ros.generating.messages import compressed_message
from tiltbot_ros.sensors.image_codec import COLOR_FORMAT, DEPTH_FORMAT, pack_color, pack_depth

_FRAME = "camera_color_optical_frame"
_PNG_LEVEL = 1


class ReleaseSource:
    """One experiment of the release.

    Args:
        experiment: which.
        settings: what the release does not say of itself.

    Raises:
        FormatError: a file is missing, truncated, hostile or not what it should be.
    """

    def __init__(self, experiment: Experiment, settings: ReleaseSettings) -> None:
        self.name = f"{experiment.object}/{experiment.name}"
        self.paths: tuple[Path, ...] = (experiment.path,)
        self._experiment = experiment
        self._settings = settings
        self._opened: tuple[ReleaseSound, ReleasePictures | None, ReleasePictures | None] | None
        self._opened = None
        self._states: ReleaseStates | None = None
        self._orientations: npt.NDArray[np.float64] | None = None

    def describe(self) -> Described:
        """Return what is known of it: streams, object, what is left aside."""
        path, settings = self._experiment.path, self._settings
        sound = open_sound(path / "audio", settings.channel_order)
        color, depth = open_pictures(path / "rgb"), open_pictures(path / "depth")
        self._opened = sound, color, depth
        remarks = []
        data = path / "data" / "data.pkl"
        if data.is_file():
            self._states = ReleaseStates(data, settings)
            if settings.tray_key:
                self._orientations = self._states.orientations()
            else:
                remarks.append(
                    f"{data}: the tray's states are left out: --tray-key says where they are in an "
                    f"entry, which holds {'; '.join(self._states.structure())}"
                )
        else:
            remarks.append(f"{data}: there is none: no tray states, no actions")
        if color is None:
            remarks.append(f"{path / 'rgb'}: there is none: no pictures")
        if depth is not None and not settings.depth_mm:
            remarks.append(
                f"{depth.path}: the depth is left out: its unit is not published; --depth-mm says "
                "what a step of grey is"
            )
        return Described(
            topics=self._topics(),
            objects=((0, self._experiment.object),),
            labels={"experiment": self._experiment.name},
            remarks=tuple(remarks),
        )

    def messages(self) -> Iterator[Message]:
        """Yield its messages in the order of receipt."""
        if self._opened is None:
            self.describe()
        assert self._opened is not None  # noqa: S101 - describe sets it or raises
        sound, color, depth = self._opened
        streams = [
            sound_messages(
                sound.chunks(),
                sound.format,
                start_ns=sound.start_ns,
                device=", ".join(file.name for file in sound.files),
            )
        ]
        if color is not None:
            streams.append(self._color(color))
        if depth is not None and self._settings.depth_mm:
            streams.append(self._depth(depth))
        if self._orientations is not None:
            streams.append(self._poses())
        if self._states is not None and self._tilting():
            streams.append(self._tilts())
        return merged(*streams)

    def _tilting(self) -> bool:
        return bool(self._settings.tray_key or self._settings.action_key)

    def _topics(self) -> tuple[RecordedTopic, ...]:
        assert self._opened is not None  # noqa: S101 - describe comes first
        sound, color, depth = self._opened
        found = list(sound_topics(sound.format))
        if color is not None:
            found.append(recorded(topics.COLOR_COMPRESSED, hz=mean_hz(color.stamps_ns)))
        if depth is not None and self._settings.depth_mm:
            found.append(recorded(topics.DEPTH_COMPRESSED, hz=mean_hz(depth.stamps_ns)))
        if self._states is not None:
            if self._orientations is not None:
                found.append(recorded(topics.TRAY_POSE, hz=mean_hz(self._states.stamps_ns)))
            if self._tilting():
                found.append(recorded(topics.TILT))
        return tuple(found)

    def _color(self, pictures: ReleasePictures) -> Iterator[Message]:
        for stamp_ns, pixels in pictures.pictures():
            data = pack_color(pixels, jpeg_quality=self._settings.jpeg_quality)
            message = compressed_message(data, COLOR_FORMAT, stamp_ns=stamp_ns, frame=_FRAME)
            yield f"/{topics.COLOR_COMPRESSED.name}", stamp_ns, message

    def _depth(self, pictures: ReleasePictures) -> Iterator[Message]:
        for stamp_ns, pixels in pictures.pictures():
            grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float64)
            depth = np.clip(np.rint(grey * self._settings.depth_mm), 0, 65535).astype(np.uint16)
            data = pack_depth(depth, png_level=_PNG_LEVEL)
            message = compressed_message(data, DEPTH_FORMAT, stamp_ns=stamp_ns, frame=_FRAME)
            yield f"/{topics.DEPTH_COMPRESSED.name}", stamp_ns, message

    def _poses(self) -> Iterator[Message]:
        assert self._states is not None  # noqa: S101 - there are orientations
        assert self._orientations is not None  # noqa: S101 - as the caller has seen
        for stamp_ns, quaternion in zip(
            self._states.stamps_ns.tolist(), self._orientations, strict=True
        ):
            yield f"/{topics.TRAY_POSE.name}", stamp_ns, pose_message(quaternion, stamp_ns)

    def _tilts(self) -> Iterator[Message]:
        assert self._states is not None  # noqa: S101 - as the caller has seen
        most = self._settings.max_tilt_rad
        for tilt in self._states.tilts(self._orientations):
            x, y = (float(value) for value in tilt.rotation)
            action = (float(np.clip(x / most, -1, 1)), float(np.clip(y / most, -1, 1)))
            message = tilt_message((x, y), action, start_ns=tilt.start_ns, end_ns=tilt.end_ns)
            yield f"/{topics.TILT.name}", tilt.end_ns, message


def look(path: Path, settings: ReleaseSettings) -> tuple[str, ...]:
    """Return what an entry of a data.pkl holds, for who chooses the keys.

    Raises:
        FormatError: the file is missing, hostile, or no dictionary by time stamps.
    """
    return ReleaseStates(path, settings).structure()
