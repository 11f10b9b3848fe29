"""Tilts of the simulated tray, faster than real time."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tiltbot_ros.arms.tilts import TiltMotion, TiltSettings
from tiltbot_ros.errors import WorldError
from tiltbot_ros.worlds.tray import STATE_RATE_HZ, TrayWorld
from tiltbot_ros.worlds.tray_state import TrayTrack, TrueContact


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordedTilt:
    """One tilt of a recording.

    Attributes:
        action: (ax, ay), -1 .. 1.
        first_frame: sound frame at which it began.
        end_frame: sound frame at which the tray was level again.
    """

    action: tuple[float, float]
    first_frame: int
    end_frame: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Recording:
    """What a world did over a number of tilts.

    Attributes:
        sample_rate: sound frames per second [Hz].
        first_frame: running index of the first sound frame.
        samples: (frames, 4) int16, microphones +x, +y, -x, -y.
        tilts: in order.
        contacts: as the physics knows them, in order.
        track: states at 100 Hz.
    """

    sample_rate: int
    first_frame: int
    samples: NDArray[np.int16]
    tilts: tuple[RecordedTilt, ...]
    contacts: tuple[TrueContact, ...]
    track: TrayTrack


def simulate(
    world: TrayWorld,
    actions: Iterable[tuple[float, float]],
    settings: TiltSettings | None = None,
) -> Recording:
    """Tilt the world by each action, then rest, and return all of it.

    A live world that gets the same commands at the same frames does exactly
    the same: the motion is cut into 100 Hz commands here, too.

    Args:
        world: with an object in it; goes on from where it stands.
        actions: (ax, ay) each; a sequence, or the first n of `RandomTilts`.
        settings: of the motion.

    Raises:
        LimitError: an action is longer than 1.
    """
    parts = list(simulate_tilts(world, actions, settings))
    if not parts:
        raise WorldError("expected at least one action, got none")
    tracks = [part.track for part in parts]
    return Recording(
        sample_rate=world.settings.sample_rate_hz,
        first_frame=parts[0].first_frame,
        samples=np.concatenate([part.samples for part in parts]),
        tilts=tuple(tilt for part in parts for tilt in part.tilts),
        contacts=tuple(contact for part in parts for contact in part.contacts),
        track=TrayTrack(
            frame=np.concatenate([track.frame for track in tracks]),
            tilt=np.concatenate([track.tilt for track in tracks]),
            joint_position=np.concatenate([track.joint_position for track in tracks]),
            joint_velocity=np.concatenate([track.joint_velocity for track in tracks]),
            object_position=np.concatenate([track.object_position for track in tracks]),
        ),
    )


def simulate_tilts(
    world: TrayWorld,
    actions: Iterable[tuple[float, float]],
    settings: TiltSettings | None = None,
) -> Iterator[Recording]:
    """Yield one recording a tilt, its rest included; see `simulate`.

    Raises:
        LimitError: an action is longer than 1.
    """
    settings = settings or TiltSettings()
    rate = world.settings.sample_rate_hz
    for action in actions:
        motion = TiltMotion(action, settings)
        first = world.frame
        ticks = int(np.ceil(motion.duration_s * STATE_RATE_HZ))
        for tick in range(ticks + 1):
            frame = first + -(-tick * rate // STATE_RATE_HZ)
            world.command(motion.reference(tick / STATE_RATE_HZ), frame=frame)
        total = round((motion.duration_s + settings.rest_s) * rate)
        total = max(total, -(-(ticks + 1) * rate // STATE_RATE_HZ))
        chunk = world.advance(total)
        yield Recording(
            sample_rate=rate,
            first_frame=first,
            samples=chunk.samples,
            tilts=(
                RecordedTilt(
                    action=motion.action,
                    first_frame=first,
                    end_frame=first + round(motion.duration_s * rate),
                ),
            ),
            contacts=chunk.contacts,
            track=chunk.track,
        )
