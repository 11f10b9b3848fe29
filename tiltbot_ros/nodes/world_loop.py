"""The simulated rig's own loop: one block of sound after another, pictures in between."""

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Protocol

from tiltbot_ros.arms.simulated import SimulatedTray
from tiltbot_ros.nodes.audio_publisher import AudioPublisher
from tiltbot_ros.nodes.camera_publisher import CameraPublisher
from tiltbot_ros.nodes.tray_server import TrayServer
from tiltbot_ros.sensors.blocker import AudioBlocker
from tiltbot_ros.sensors.cameras import CameraIntrinsics, CameraSettings, RgbdFrame
from tiltbot_ros.sensors.microphones import MicrophoneSettings, describe
from tiltbot_ros.worlds.camera import RenderedFrame
from tiltbot_ros.worlds.objects import ObjectSpec
from tiltbot_ros.worlds.pacing import FollowingTimebase
from tiltbot_ros.worlds.tray import TrayWorld


class Eye(Protocol):
    """Draws the world on request, one picture at a time."""

    def request(self, *, pack: bool) -> bool:
        """Ask for a picture of this instant; False while one is under way."""

    def fetch(self) -> RenderedFrame | None:
        """Return the picture that was asked for, None while it is not ready."""


class WorldLoop:
    """Lets one world go on and publishes what its devices would.

    Args:
        world: empty, at frame 0.
        driver: the same world as a tray.
        tray: serves it.
        sound, images: publish what is heard and seen.
        eye: draws.
        intrinsics: of the camera.
        microphones, camera: how often there are blocks and pictures.
        now: the ROS clock [ns].
    """

    def __init__(
        self,
        world: TrayWorld,
        *,
        driver: SimulatedTray,
        tray: TrayServer,
        sound: AudioPublisher,
        images: CameraPublisher,
        eye: Eye,
        intrinsics: CameraIntrinsics,
        microphones: MicrophoneSettings,
        camera: CameraSettings,
        now: Callable[[], int],
    ) -> None:
        self._world = world
        self._driver = driver
        self._tray = tray
        self._sound = sound
        self._images = images
        self._eye = eye
        self._intrinsics = intrinsics
        self._microphones = microphones
        self._camera = camera
        self._now = now
        # Granted between two blocks: only this loop touches the world.
        self._wishes: SimpleQueue[ObjectSpec | None] = SimpleQueue()
        self._stop = threading.Event()
        self._image_stamp_ns = 0
        self._images_left_out = 0
        self._blocker: AudioBlocker | None = None

    @property
    def blocks(self) -> int:
        """Blocks of sound published."""
        return self._blocker.blocks if self._blocker else 0

    @property
    def holes(self) -> int:
        """Holes in the sound, because the world could not keep up."""
        return self._blocker.holes if self._blocker else 0

    @property
    def images_left_out(self) -> int:
        """Pictures that fell due while the last one was still being drawn."""
        return self._images_left_out

    def place(self, spec: ObjectSpec | None) -> None:
        """Have an object placed before the next block; None empties the tray. From any thread."""
        self._wishes.put(spec)

    def stop(self) -> None:
        """Let `run` return after this block. From any thread."""
        self._stop.set()

    def run(self, wait: Callable[[], int]) -> None:
        """Go on until `stop`.

        Args:
            wait: returns when a block is over, with how many blocks had to be left out.

        Raises:
            TiltbotError: the physics has become unstable, or the eye has ended.
        """
        frames, rate = self._microphones.block_frames, self._microphones.sample_rate_hz
        now_ns = self._now()
        timebase = FollowingTimebase(start_ns=now_ns, sample_rate_hz=rate)
        blocker = self._blocker = AudioBlocker(
            audio_format=self._microphones.audio_format,
            block_frames=frames,
            timebase=timebase,
            sink=self._sound.publish,
        )
        self._sound.publish_info(
            describe(self._microphones, device="simulated tray"), stamp_ns=now_ns
        )
        due_image = 0
        samples = self._world.advance(frames).samples
        while not self._stop.is_set():
            # A block is made while it lasts and published when it ends, as a
            # sound card delivers it; all else waits until the sound is out.
            skipped = wait()
            blocker.push(samples)
            blocker.lose(skipped * frames)
            begin = blocker.next_frame
            timebase.follow(begin, self._now())
            while not self._wishes.empty():
                self._world.place(self._wishes.get())
            self._driver.stamp_ns = timebase.stamp_ns(begin)
            self._tray.tick(self._driver.stamp_ns, self._world.frame / rate)
            samples = self._world.advance(frames).samples
            self._publish_image()
            if begin >= due_image:
                due_image += round(rate / self._camera.rate_hz) + skipped * frames
                self._request_image(timebase.stamp_ns(begin + frames))

    def _request_image(self, stamp_ns: int) -> None:
        if self._eye.request(pack=self._images.wants_packed):
            self._image_stamp_ns = stamp_ns
        else:
            self._images_left_out += 1

    def _publish_image(self) -> None:
        picture = self._eye.fetch()
        if picture is not None:
            frame = RgbdFrame(
                stamp_ns=self._image_stamp_ns,
                color=picture.color,
                depth=picture.depth,
                intrinsics=self._intrinsics,
            )
            self._images.publish(frame, packed=picture.packed)
