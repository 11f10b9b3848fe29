"""Pictures on demand: the camera's snapshots are kept, and painted where an episode needs them.

A picture costs more than all else of its time together, and most of the time
is in no episode. What is painted depends on the snapshot alone, so it is the
same whenever it is painted.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tiltbot_ros import topics
from tiltbot_ros.episodes.facts import EpisodeContent
from tiltbot_ros.episodes.ring import StampedMessage
from tiltbot_ros.errors import ConfigError
from tiltbot_ros.generating import messages
from tiltbot_ros.rigs import Rig
from tiltbot_ros.sensors.cameras import CameraIntrinsics, RgbdFrame
from tiltbot_ros.sensors.image_codec import (
    COLOR_FORMAT,
    DEPTH_FORMAT,
    pack_color,
    pack_depth,
)
from tiltbot_ros.sensors.tracker import ObjectTracker
from tiltbot_ros.worlds.camera import Painter, PictureSettings, RenderedFrame, intrinsics, pose
from tiltbot_ros.worlds.tray import TrayWorld
from tiltbot_ros.worlds.tray_state import Snapshot

_KEPT_NS = 60_000_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class _View:
    snapshot: Snapshot
    level: bool


class Darkroom:
    """Keeps the snapshots of the last minute and paints them when asked.

    Args:
        rig: a simulated one with a camera.
        world: what is drawn, once `load` was called.

    Attributes:
        painted: full names of the topics whose messages are made only for episodes: colour,
            depth and location.
        parent: frame that the camera is mounted on.
        pose: (4, 4) of the camera in it [m].
        intrinsics: of the camera.

    Raises:
        ConfigError: the rig has no camera.
    """

    def __init__(self, rig: Rig, world: TrayWorld) -> None:
        if rig.camera is None:
            raise ConfigError(f"expected a camera in rig '{rig.name}', it has none")
        settings = PictureSettings(
            width=rig.camera.width, height=rig.camera.height, **rig.view.model_dump()
        )
        self._world = world
        self._camera = rig.camera
        self._packed = rig.recorder.images == "compressed"
        images = (
            (topics.COLOR_COMPRESSED, topics.DEPTH_COMPRESSED)
            if self._packed
            else (topics.COLOR, topics.DEPTH)
        )
        self.painted = tuple(f"/{topic.name}" for topic in (*images, topics.OBJECT_LOCATION))
        self._frame = rig.camera.frame_id
        self._fixed = settings.mount == "world"
        self.parent = rig.arm.frame_id if self._fixed else "tray"
        self.pose = pose(settings)
        self.intrinsics = CameraIntrinsics(
            width=settings.width,
            height=settings.height,
            k=intrinsics(settings),
            distortion=np.zeros(5),
        )
        self._painter = Painter(settings, seed=world.seed)
        self._tracker = ObjectTracker(rig.tracker, self.intrinsics, self.pose)
        self._views: dict[int, _View] = {}
        self._painted: dict[int, dict[str, bytes]] = {}

    def load(self) -> None:
        """Draw what is in the tray from now on; snapshots from before are let go.

        Raises:
            MissingDependencyError: there is no EGL to render with.
        """
        self._painter.load(self._world.tray_model)
        self._views.clear()

    def learn(self, snapshot: Snapshot, *, stamp_ns: int) -> None:
        """Show the tracker the empty tray."""
        self._tracker.learn(self._rgbd(self._painter.paint(snapshot), stamp_ns))

    def keep(self, snapshot: Snapshot, *, stamp_ns: int, level: bool) -> None:
        """Keep what the camera sees at a time.

        Args:
            snapshot: of the world.
            stamp_ns: of the picture [ns].
            level: whether the tray is level, for a camera that does not move with it.
        """
        self._views[stamp_ns] = _View(snapshot=snapshot, level=level)
        # They come in the order of their stamps.
        while (oldest := next(iter(self._views))) < stamp_ns - _KEPT_NS:
            del self._views[oldest]

    def develop(self, content: EpisodeContent) -> EpisodeContent:
        """Return the episode with its pictures and locations in place of their placeholders."""
        stamps = sorted(m.stamp_ns for m in content.messages[self.painted[0]])
        self._painted = {
            stamp_ns: self._painted.get(stamp_ns) or self._messages(stamp_ns) for stamp_ns in stamps
        }
        painted = {
            topic: tuple(
                StampedMessage(stamp_ns=m.stamp_ns, data=self._painted[m.stamp_ns][topic])
                for m in content.messages[topic]
            )
            for topic in self.painted
        }
        return replace(content, messages={**content.messages, **painted})

    def close(self) -> None:
        """Give the graphics context back."""
        self._painter.close()

    def _rgbd(self, picture: RenderedFrame, stamp_ns: int) -> RgbdFrame:
        return RgbdFrame(
            stamp_ns=stamp_ns,
            color=picture.color,
            depth=picture.depth,
            intrinsics=self.intrinsics,
        )

    def _messages(self, stamp_ns: int) -> dict[str, bytes]:
        view = self._views[stamp_ns]
        picture = self._painter.paint(view.snapshot)
        location = self._tracker.locate(self._rgbd(picture, stamp_ns))
        # As in the tracker node: a camera that stands still knows the tray only level.
        valid = location.valid and (not self._fixed or view.level)
        seen = messages.location_message(
            location.position, valid=valid, pixels=location.pixels, stamp_ns=stamp_ns
        )
        images = (
            self._packed_images(picture, stamp_ns)
            if self._packed
            else (
                self._image(picture.color, "rgb8", stamp_ns),
                self._image(picture.depth, "16UC1", stamp_ns),
            )
        )
        return dict(zip(self.painted, (*images, seen), strict=True))

    def _packed_images(self, picture: RenderedFrame, stamp_ns: int) -> tuple[bytes, bytes]:
        color = pack_color(picture.color, jpeg_quality=self._camera.jpeg_quality)
        depth = pack_depth(picture.depth, png_level=self._camera.png_level)
        return (
            messages.compressed_message(color, COLOR_FORMAT, stamp_ns=stamp_ns, frame=self._frame),
            messages.compressed_message(depth, DEPTH_FORMAT, stamp_ns=stamp_ns, frame=self._frame),
        )

    def _image(
        self, pixels: NDArray[np.uint8] | NDArray[np.uint16], encoding: str, stamp_ns: int
    ) -> bytes:
        return messages.image_message(pixels, encoding, stamp_ns=stamp_ns, frame=self._frame)
