"""Draws a live world in a process of its own, so that drawing never delays its sound."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.shared_memory import SharedMemory

import numpy as np
from mujoco import MjModel
from numpy.typing import NDArray

from tiltbot_ros.errors import TiltbotError, WorldError
from tiltbot_ros.worlds.camera import Painter, ViewSettings
from tiltbot_ros.worlds.tray import Snapshot, TrayWorld

NICENESS = 5
_PIXEL_BYTES = 5  # red, green, blue and 16 bits of depth


class Eye:
    """Sends snapshots of a world to a drawing process and hands on what it draws.

    One snapshot is drawn at a time; one that comes meanwhile is left out and
    counted.

    Args:
        settings: where the camera is and what it sees.
        seed: of the noise.
        sink: called with colour (height, width, 3) uint8, depth (height, width)
            uint16 [mm] and the stamp [ns], in a thread of its own. The arrays
            are the sink's to keep.
        fault: called once with the error when drawing is over for good.
    """

    def __init__(
        self,
        settings: ViewSettings,
        *,
        seed: int,
        sink: Callable[[NDArray[np.uint8], NDArray[np.uint16], int], None],
        fault: Callable[[TiltbotError], None],
    ) -> None:
        self.drawn = 0
        self.left_out = 0
        self._sink = sink
        self._fault = fault
        self._shape = (settings.height, settings.width)
        self._pixels = settings.height * settings.width
        self._memory = SharedMemory(create=True, size=self._pixels * _PIXEL_BYTES)
        # Forking a process that has threads and a graphics context is not safe.
        spawn = multiprocessing.get_context("spawn")
        self._pipe, theirs = spawn.Pipe()
        self._process = spawn.Process(
            target=_draw, args=(theirs, self._memory.name, settings, seed), daemon=True
        )
        self._process.start()
        theirs.close()
        self._idle = threading.Event()
        self._idle.set()
        self._closing = False
        self._placement = -1
        self._thread = threading.Thread(target=self._collect, name="eye", daemon=True)
        self._thread.start()

    def look(self, world: TrayWorld, stamp_ns: int) -> None:
        """Have the present instant of the world drawn, unless a drawing is under way."""
        if not self._idle.is_set():
            self.left_out += 1
            return
        self._idle.clear()
        snapshot = world.snapshot()
        model = None
        if snapshot.placement != self._placement:
            model = world.tray_model.model
            self._placement = snapshot.placement
        try:
            self._pipe.send((model, snapshot, stamp_ns))
        except OSError:
            # The collecting thread sees the same end and reports it.
            return

    def close(self) -> None:
        """End the drawing process."""
        self._closing = True
        self._pipe.close()
        self._process.join(timeout=2.0)
        if self._process.is_alive():
            self._process.kill()
        self._memory.close()
        self._memory.unlink()

    def _collect(self) -> None:
        try:
            while True:
                answer = self._pipe.recv()
                if isinstance(answer, TiltbotError):
                    self._fault(answer)
                    return
                pixels = _bytes(self._memory)
                color = pixels[: self._pixels * 3].reshape(*self._shape, 3).copy()
                depth = (
                    pixels[self._pixels * 3 : self._pixels * _PIXEL_BYTES]
                    .view(np.uint16)
                    .reshape(self._shape)
                    .copy()
                )
                del pixels
                self._idle.set()
                self._sink(color, depth, answer)
                self.drawn += 1
        except (EOFError, OSError):
            if not self._closing:
                self._fault(WorldError("the process that draws the world has ended"))


def _draw(pipe: Connection, memory_name: str, settings: ViewSettings, seed: int) -> None:
    """Draw snapshots until the pipe is closed."""
    # Ctrl-C in a terminal reaches this process, too; the pipe tells when to end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(NICENESS)
    memory = SharedMemory(memory_name)
    painter = Painter(settings, seed=seed)
    count = settings.height * settings.width
    try:
        while True:
            request: tuple[MjModel | None, Snapshot, int] = pipe.recv()
            model, snapshot, stamp_ns = request
            if model is not None:
                painter.load_model(model)
            picture = painter.paint(snapshot)
            pixels = _bytes(memory)
            pixels[: count * 3] = picture.color.reshape(-1)
            pixels[count * 3 : count * _PIXEL_BYTES] = picture.depth.view(np.uint8).reshape(-1)
            del pixels
            pipe.send(stamp_ns)
    except TiltbotError as error:
        pipe.send(error)
    except (EOFError, BrokenPipeError):
        return
    finally:
        painter.close()
        memory.close()


def _bytes(memory: SharedMemory) -> NDArray[np.uint8]:
    return np.ndarray((memory.size,), np.uint8, buffer=memory.buf)
