"""The simulated rig, from one picture to the next: what its devices would say, block by block."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tiltbot_ros.arms.tilts import RandomTilts, TiltMotion, TiltSettings
from tiltbot_ros.arms.tray import FollowMonitor, TrayReading
from tiltbot_ros.errors import WorldError
from tiltbot_ros.rigs import Rig
from tiltbot_ros.sensors.audio import AudioBlock
from tiltbot_ros.sensors.blocker import ExactTimebase
from tiltbot_ros.worlds.hinges import rotation_vector
from tiltbot_ros.worlds.tray import TrayWorld
from tiltbot_ros.worlds.tray_state import Snapshot


@dataclass(frozen=True, kw_only=True, slots=True)
class EndedTilt:
    """A tilt, when the tray is level again.

    Attributes:
        motion: that was carried out.
        start_ns, end_ns: of it [ns].
    """

    motion: TiltMotion
    start_ns: int
    end_ns: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """What the live rig tells at the end of one block of sound.

    Attributes:
        end_ns: when the block was over [ns].
        sound: the block; its stamp is that of the tray's reading, too.
        reading: of the tray.
        reference: (2,) commanded rotation vector [rad].
        tilt: one that ended with this block's command.
    """

    end_ns: int
    sound: AudioBlock
    reading: TrayReading
    reference: NDArray[np.float64]
    tilt: EndedTilt | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Stretch:
    """The blocks up to a picture.

    Attributes:
        blocks: in order.
        snapshot: what the camera sees at the end.
    """

    blocks: tuple[Block, ...]
    snapshot: Snapshot

    @property
    def end_ns(self) -> int:
        """Stamp of the picture [ns]."""
        return self.blocks[-1].end_ns


@dataclass(frozen=True, kw_only=True, slots=True)
class Stride:
    """What the world did in one go.

    Attributes:
        sound: of all of it.
        stretches: in order.
    """

    sound: AudioBlock
    stretches: tuple[Stretch, ...]


class _Tilting:
    """One tilt after another, with the rests that the collect node makes."""

    def __init__(self, tilts: RandomTilts, settings: TiltSettings) -> None:
        self._tilts = tilts
        self._settings = settings
        self._motion: TiltMotion | None = None
        self._began_s = 0.0
        self._began_ns = 0
        self.next_s = float("inf")

    def tick(self, stamp_ns: int, now_s: float) -> tuple[NDArray[np.float64], EndedTilt | None]:
        """Return the reference of this moment, and the tilt that ends with it."""
        if self._motion is None and now_s >= self.next_s - 1e-9:
            self._motion = TiltMotion(self._tilts.next(), self._settings)
            self._began_s, self._began_ns = now_s, stamp_ns
        motion = self._motion
        if motion is None:
            return np.zeros(2), None
        elapsed = now_s - self._began_s
        ended = None
        if elapsed >= motion.duration_s:
            ended = EndedTilt(motion=motion, start_ns=self._began_ns, end_ns=stamp_ns)
            self._motion = None
            self.next_s = now_s + self._settings.rest_s
        return motion.reference(elapsed), ended


class RigWorld:
    """One world that stands in for the arm and the microphones, and says when to take a picture.

    It does what the world node does at the end of each block, but gives the
    commands ahead of time, so that the world goes on in long strides; the
    same comes out (docs/simulation.md, Time).

    Args:
        rig: a simulated one.
        world: empty, at frame 0.
        tilts: what the tray does once `start_tilting` was called.
        start_ns: stamp of frame 0 [ns].
    """

    def __init__(self, rig: Rig, world: TrayWorld, tilts: RandomTilts, *, start_ns: int) -> None:
        self._world = world
        self._rate = rig.microphones.sample_rate_hz
        self._frames = rig.microphones.block_frames
        self._picture_frames = round(self._rate / (rig.camera.rate_hz if rig.camera else 1.0))
        self._due_picture = 0
        self._timebase = ExactTimebase(start_ns=start_ns, sample_rate_hz=self._rate)
        self._tilting = _Tilting(tilts, rig.tilt)
        self._monitor = FollowMonitor(rig.follow)

    def start_tilting(self, after_s: float) -> None:
        """Tilt from so many seconds after now on."""
        self._tilting.next_s = self._world.frame / self._rate + after_s

    def advance(self, pictures: int = 1) -> Stride:
        """Let the world go on until so many pictures were taken, in one go.

        Raises:
            WorldError: the physics has become unstable.
            DeviceError: the tray does not follow its reference.
        """
        first = self._world.frame
        ends = self._plan(pictures)
        begins = list(range(first, ends[-1], self._frames))
        stamps = [self._timebase.stamp_ns(frame) for frame in (*begins, ends[-1])]
        commands = []
        for frame, stamp_ns in zip(begins, stamps[:-1], strict=True):
            reference, ended = self._tilting.tick(stamp_ns, frame / self._rate)
            self._world.command(reference, frame=frame)
            commands.append((reference, ended))
        chunk = self._world.advance(ends[-1] - first)
        track = chunk.track
        if track.frame.tolist() != begins:
            raise WorldError(f"expected a state at every block from {first} on, got {track.frame}")
        rotations = rotation_vector(track.joint_position)
        blocks = []
        for row, (reference, ended) in enumerate(commands):
            at = row * self._frames
            reading = TrayReading(
                stamp_ns=stamps[row],
                rotation=rotations[row],
                joint_names=("tray_x", "tray_y"),
                joint_positions=track.joint_position[row],
                joint_velocities=track.joint_velocity[row],
            )
            self._monitor.check(reference, reading, begins[row] / self._rate)
            blocks.append(
                Block(
                    end_ns=stamps[row + 1],
                    sound=self._sound(stamps[row], begins[row], chunk.samples[at:][: self._frames]),
                    reading=reading,
                    reference=reference,
                    tilt=ended,
                )
            )
        rows = [(end - first) // self._frames for end in ends]
        stretches = tuple(
            Stretch(blocks=tuple(blocks[low:high]), snapshot=self._world.snapshot(end))
            for low, high, end in zip([0, *rows], rows, ends, strict=False)
        )
        return Stride(sound=self._sound(stamps[0], first, chunk.samples), stretches=stretches)

    def _plan(self, pictures: int) -> list[int]:
        """Return the frames at which the next pictures are taken: the ends of their blocks."""
        ends: list[int] = []
        begin = self._world.frame
        for _ in range(pictures):
            # As live, where the first block is made before anything is asked of the world.
            while begin < max(self._due_picture, self._frames):
                begin += self._frames
            begin += self._frames
            ends.append(begin)
            self._due_picture += self._picture_frames
        return ends

    @staticmethod
    def _sound(stamp_ns: int, first: int, samples: NDArray[np.int16]) -> AudioBlock:
        return AudioBlock(stamp_ns=stamp_ns, first_sample=first, samples=samples, xruns=0)
