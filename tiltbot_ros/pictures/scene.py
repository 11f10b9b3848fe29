"""What the camera saw before and after a tilt, and where action and object are in it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tiltbot_ros.episodes.moments import before_and_after
from tiltbot_ros.episodes.reader import Episode, Images
from tiltbot_ros.errors import EpisodeError
from tiltbot_ros.pictures.projection import TrayCamera, downhill

Floats = npt.NDArray[np.float64]

BEFORE, AFTER = 0, 1
"""Indices of the two frames."""

_ARROW_M = 0.13
"""Length of the arrow of the greatest tilt on the floor of the tray [m]."""

_MARGIN, _LEAST = 0.03, 0.09
"""Room between the arrow's head and the border, and its least length, in image heights."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Way:
    """Where the tracker saw the object.

    Attributes:
        pixels: (n, 2) columns and rows in the frame after the tilt [pixels].
        times: (n,) from the contact [s].
    """

    pixels: Floats
    times: Floats


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """The frames before and after.

    Attributes:
        episode: whose.
        images: its colour frames before and after.
        camera: None: its model or place is not known, and nothing can be drawn in.
    """

    episode: Episode
    images: Images
    camera: TrayCamera | None

    @staticmethod
    def of(episode: Episode) -> "Scene | None":
        """Return the scene of an episode; None when it has no colour images."""
        tilt = episode.facts.tilt
        try:
            before, after = before_and_after(
                episode.image_stamps(),
                tilt_start_ns=tilt.start_ns if tilt else None,
                tilt_end_ns=tilt.end_ns if tilt else None,
            )
            images = episode.images(only=(before, after))
        except EpisodeError:
            return None
        return Scene(episode=episode, images=images, camera=TrayCamera.of(episode))

    def frame(self, index: int) -> npt.NDArray[Any]:
        """Return the frame BEFORE or AFTER, (height, width[, 3]); colours are red, green, blue."""
        frame: npt.NDArray[Any] = self.images.frames[index]
        return frame[..., ::-1] if self.images.encoding == "bgr8" else frame

    def time_s(self, index: int) -> float:
        """Return the time of a frame from the contact [s]."""
        return float(self.images.stamps_ns[index] - self.episode.facts.contact.stamp_ns) / 1e9

    def arrow(self) -> Floats | None:
        """Return tail and head of the action's arrow in the frame before, (2, 2) [pixels].

        It is parallel to the floor, begins at the object where that was
        tracked, otherwise in the middle of the tray, and points to where the
        tilt sends the object. None: the action or the camera is not known.
        """
        tilt = self.episode.facts.tilt
        if self.camera is None or tilt is None:
            return None
        most = self.episode.constant.max_tilt_rad or float(np.hypot(*tilt.rotation[:2])) or 1.0
        along = downhill(tilt.rotation) / most * _ARROW_M
        start = self._start_of_arrow()
        pixels = self.camera.pixels(
            np.stack([start, start + np.append(along, 0.0)]),
            int(self.images.stamps_ns[BEFORE]),
        )
        if not np.isfinite(pixels).all():
            return None
        return _inside(pixels, self.images.frames.shape[2], self.images.frames.shape[1])

    def way(self) -> Way | None:
        """Return the way that the object went; None: not tracked, or the camera is not known."""
        seen = self.episode.locations() if self._tracked() else None
        if self.camera is None or seen is None or not seen.valid.any():
            return None
        return Way(
            pixels=self.camera.pixels(
                seen.positions[seen.valid], int(self.images.stamps_ns[AFTER])
            ),
            times=(seen.stamps_ns[seen.valid] - self.episode.facts.contact.stamp_ns) / 1e9,
        )

    def _start_of_arrow(self) -> Floats:
        seen = self.episode.locations() if self._tracked() else None
        if seen is None or not seen.valid.any():
            return np.zeros(3)
        stamps = np.where(seen.valid, seen.stamps_ns, np.iinfo(np.int64).max // 2)
        nearest = np.abs(stamps - self.images.stamps_ns[BEFORE]).argmin()
        place: Floats = seen.positions[nearest]
        return place

    def _tracked(self) -> bool:
        return any(
            topic.name.endswith("/object_location") for topic in self.episode.constant.topics
        )


def _inside(arrow: Floats, width: int, height: int) -> Floats:
    """Return an arrow (2, 2) [pixels] shortened so far that its head stays in the image."""
    tail, along = arrow[0], arrow[1] - arrow[0]
    length = float(np.hypot(*along))
    if length == 0.0:
        return arrow
    margin = _MARGIN * height
    with np.errstate(divide="ignore"):
        room = np.where(along > 0, np.array([width, height]) - margin - tail, margin - tail) / along
    share = min(1.0, float(np.nanmin(np.where(along == 0, np.inf, room))))
    return np.stack([tail, tail + along * max(share, min(1.0, _LEAST * height / length))])
