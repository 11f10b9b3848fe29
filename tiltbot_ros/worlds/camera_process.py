"""The camera in a process of its own, so that drawing never delays the sound.

Drawing a 640 x 480 colour and depth image takes 40-80 ms on two cores.
MuJoCo releases the GIL meanwhile, but not everywhere, and a thread that draws
makes a 10 ms audio tick late by up to a block. A process at low priority does
not; pictures come back through shared memory.
"""

import contextlib
import multiprocessing
import os
import signal
from multiprocessing.connection import Connection
from multiprocessing.shared_memory import SharedMemory

import numpy as np
from numpy.typing import NDArray

from tiltbot_ros.errors import MissingDependencyError, TiltbotError, WorldError
from tiltbot_ros.sensors.image_codec import PackedImages, pack
from tiltbot_ros.worlds.camera import Painter, PictureSettings, RenderedFrame, intrinsics, pose
from tiltbot_ros.worlds.tray import TrayWorld
from tiltbot_ros.worlds.tray_model import TraySettings, build_tray

_START_S = 60.0


class CameraProcess:
    """Draws the world on request, one picture at a time."""

    def __init__(
        self,
        world: TrayWorld,
        settings: PictureSettings | None = None,
        *,
        niceness: int = 10,
        jpeg_quality: int = 90,
        png_level: int = 4,
    ) -> None:
        """Start the process and wait until it can draw.

        Args:
            world: what is drawn; it is read only inside `request`.
            settings: where the camera is.
            niceness: added to the process's niceness, so that sound goes first.
            jpeg_quality: of compressed colour, 1 .. 100.
            png_level: of compressed depth, 0 .. 9.

        Raises:
            MissingDependencyError: there is no EGL to render with.
            WorldError: the process ended while it started.
        """
        self._world = world
        self._settings = settings or PictureSettings()
        self._placement = -1
        self._busy = False
        pixels = self._settings.width * self._settings.height
        self._memory = SharedMemory(create=True, size=pixels * 5)
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(
            target=_serve,
            kwargs={
                "connection": theirs,
                "memory_name": self._memory.name,
                "settings": self._settings,
                "tray": world.settings,
                "seed": world.seed,
                "niceness": niceness,
                "jpeg_quality": jpeg_quality,
                "png_level": png_level,
            },
            name="tiltbot-camera",
            daemon=True,
        )
        self._process.start()
        theirs.close()
        try:
            self._receive(_START_S)
        except TiltbotError:
            self.close()
            raise

    @property
    def intrinsics(self) -> NDArray[np.float64]:
        """Camera matrix (3, 3) [pixels]."""
        return intrinsics(self._settings)

    @property
    def pose_in_tray(self) -> NDArray[np.float64]:
        """Pose (4, 4) of the optical frame: in `tray`, or for mount "world" in `tray_level`."""
        return pose(self._settings)

    @property
    def busy(self) -> bool:
        """A picture was asked for and has not been fetched."""
        return self._busy

    def request(self, *, pack: bool = False) -> bool:
        """Ask for a picture of this instant; False, and nothing asked, while one is under way.

        Args:
            pack: have it compressed there, too.

        Raises:
            WorldError: the process has ended.
        """
        if self._busy:
            return False
        snapshot = self._world.snapshot()
        spec = None
        if snapshot.placement != self._placement:
            spec = self._world.tray_model.spec
        try:
            if snapshot.placement != self._placement:
                self._connection.send(("load", spec))
                self._placement = snapshot.placement
            self._connection.send(("pack" if pack else "paint", snapshot))
        except OSError as error:
            raise self._ended() from error
        self._busy = True
        return True

    def fetch(self, timeout_s: float = 0.0) -> RenderedFrame | None:
        """Return the picture that was asked for, or None while it is not ready.

        Raises:
            WorldError: the process has ended.
        """
        if not self._busy:
            return None
        answer = self._receive(timeout_s)
        if answer is None:
            return None
        self._busy = False
        frame, packed = answer
        color, depth = _views(self._memory, self._settings)
        return RenderedFrame(frame=frame, color=color.copy(), depth=depth.copy(), packed=packed)

    def close(self) -> None:
        """End the process and free the memory."""
        with contextlib.suppress(OSError):
            self._connection.send(("end", None))
        self._process.join(timeout=2.0)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._connection.close()
        self._memory.close()
        with contextlib.suppress(FileNotFoundError):
            self._memory.unlink()

    def _receive(self, timeout_s: float) -> tuple[int, PackedImages | None] | None:
        try:
            if not self._connection.poll(timeout_s):
                if self._process.is_alive():
                    if timeout_s >= _START_S:
                        raise WorldError(f"the camera process did not start in {timeout_s:g} s")
                    return None
                raise self._ended()
            answer = self._connection.recv()
        except (EOFError, OSError) as error:
            raise self._ended() from error
        if isinstance(answer, str):
            raise MissingDependencyError(answer)
        frame, packed = answer
        return int(frame), packed

    def _ended(self) -> WorldError:
        return WorldError(
            f"the camera process has ended (exit code {self._process.exitcode}): "
            "close it and make a new one"
        )


def _views(
    memory: SharedMemory, settings: PictureSettings
) -> tuple[NDArray[np.uint8], NDArray[np.uint16]]:
    height, width = settings.height, settings.width
    depth = np.ndarray((height, width), np.uint16, buffer=memory.buf)
    color = np.ndarray((height, width, 3), np.uint8, buffer=memory.buf, offset=2 * height * width)
    return color, depth


def _serve(
    *,
    connection: Connection,
    memory_name: str,
    settings: PictureSettings,
    tray: TraySettings,
    seed: int,
    niceness: int,
    jpeg_quality: int,
    png_level: int,
) -> None:
    """Run the process: load models and paint snapshots until told to end."""
    # Ctrl-C in a terminal reaches this process, too; its owner says when to end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Mesa's software renderer would draw on every core and leave none to the sound.
    os.environ.setdefault("LP_NUM_THREADS", "1")
    os.nice(niceness)
    memory = SharedMemory(name=memory_name)
    color, depth = _views(memory, settings)
    painter = Painter(settings, seed=seed)
    try:
        painter.load(build_tray(tray, None))
        connection.send((0, None))
        while True:
            kind, value = connection.recv()
            if kind == "load":
                painter.load(build_tray(tray, value))
            elif kind in ("paint", "pack"):
                picture = painter.paint(value)
                color[:], depth[:] = picture.color, picture.depth
                packed = None
                if kind == "pack":
                    packed = pack(
                        picture.color,
                        picture.depth,
                        jpeg_quality=jpeg_quality,
                        png_level=png_level,
                    )
                connection.send((picture.frame, packed))
            else:
                break
    except TiltbotError as error:
        connection.send(str(error))
    except (EOFError, OSError):
        pass
    finally:
        painter.close()
        del color, depth
        memory.close()
