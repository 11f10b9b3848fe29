"""What is generated: objects, batches, and the seed, time and numbers of each."""

from dataclasses import dataclass
from zlib import crc32

import numpy as np
from pydantic import Field

from tiltbot_ros.episodes.cdr import NS_PER_S
from tiltbot_ros.episodes.facts import software_version
from tiltbot_ros.errors import ConfigError
from tiltbot_ros.rigs import Rig
from tiltbot_ros.settings import Settings
from tiltbot_ros.worlds.objects import ObjectCatalogue

BATCH_EPISODES = 50
"""Episodes of one object that are made in one go: what a kill can cost at most."""

EPOCH_NS = 1_767_225_600 * NS_PER_S
"""When the first batch begins, 2026-01-01 00:00 UTC; simulated time has no other meaning [ns]."""

BATCH_NS = 3600 * NS_PER_S
"""From the beginning of one batch to that of the next: no two batches overlap [ns]."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """Episodes that are made in one go, alike whoever makes them and when.

    Attributes:
        index: running number in the plan.
        object: name of the object.
        episodes: how many.
        first: number of the first one, 42 for `ep_000042`.
        world_seed, tilt_seed: of the world and of the random tilts.
        start_ns: simulated time at which it begins [ns].
    """

    index: int
    object: str
    episodes: int
    first: int
    world_seed: int
    tilt_seed: int
    start_ns: int

    @property
    def name(self) -> str:
        """Name of its folder while it is made."""
        return f"batch_{self.index:05d}"


class Plan(Settings):
    """Everything that decides what is generated; kept beside the episodes."""

    seed: int = Field(ge=0, description="of everything random")
    objects: tuple[str, ...] = Field(min_length=1, description="names, in order")
    episodes: int = Field(ge=1, le=100_000, description="of each object")
    batch_episodes: int = Field(BATCH_EPISODES, ge=1, le=500, description="made in one go")
    video: bool = Field(False, description="whether episodes keep every picture")
    rig: str = Field(description="name of the rig")
    rig_digest: str = Field(description="of all its settings")
    objects_digest: str = Field(description="of all that the catalogue says of the objects")
    software_version: str = Field(description="of tiltbot")

    @property
    def total(self) -> int:
        """Episodes of all objects together."""
        return self.episodes * len(self.objects)

    def batches(self) -> tuple[Batch, ...]:
        """Return the batches, object by object."""
        found: list[Batch] = []
        for place, name in enumerate(self.objects):
            for number, done in enumerate(range(0, self.episodes, self.batch_episodes)):
                seeds = np.random.SeedSequence([self.seed, crc32(name.encode()), number])
                world_seed, tilt_seed = (int(value) for value in seeds.generate_state(2))
                found.append(
                    Batch(
                        index=len(found),
                        object=name,
                        episodes=min(self.batch_episodes, self.episodes - done),
                        first=1 + place * self.episodes + done,
                        world_seed=world_seed,
                        tilt_seed=tilt_seed,
                        start_ns=EPOCH_NS + len(found) * BATCH_NS,
                    )
                )
        return tuple(found)


SILENT_TILTS = 200
"""In a row, after which a batch is given up; a sponge of 6 g is not heard in two of three tilts."""


def generated_rig(rig: Rig, *, video: bool = False) -> Rig:
    """Return a rig with the settings that generated episodes are written with.

    Images and bags are compressed. Silence is waited out: that the lightest
    object is often not heard is known, and nobody has to look at the microphones.

    Args:
        rig: a simulated one.
        video: keep every picture, not only those before and after the tilt.
    """
    recorder = {"images": "compressed", "moments": "all" if video else "before_after"}
    return rig.model_copy(
        update={
            "recorder": rig.recorder.model_copy(update=recorder),
            "collect": rig.collect.model_copy(update={"max_silent_tilts": SILENT_TILTS}),
            "writer": rig.writer.model_copy(update={"compress": True}),
        }
    )


def make_plan(
    rig: Rig,
    objects: tuple[str, ...],
    *,
    episodes: int,
    seed: int = 0,
    batch_episodes: int = BATCH_EPISODES,
) -> Plan:
    """Return the plan for so many episodes of each object.

    Raises:
        ConfigError: the rig cannot be generated, or an object is unknown or named twice.
    """
    check_rig(rig)
    if len(set(objects)) != len(objects):
        raise ConfigError(f"expected every object once, got {', '.join(objects)}")
    catalogue = ObjectCatalogue.load()
    digests = "".join(catalogue.get(name).digest() for name in objects)
    return Plan(
        seed=seed,
        objects=objects,
        episodes=episodes,
        batch_episodes=batch_episodes,
        video=rig.recorder.moments == "all",
        rig=rig.name,
        rig_digest=rig.digest(),
        objects_digest=f"{crc32(digests.encode()):08x}",
        software_version=software_version(),
    )


def check_rig(rig: Rig) -> None:
    """See that a rig can be simulated faster than real time.

    Raises:
        ConfigError: it is a real one, or of a kind that only the live graph can run.
    """
    if not rig.simulated or rig.camera is None:
        raise ConfigError(
            f"expected a simulated rig with a camera, such as 'sim', got '{rig.name}' "
            f"with the arm driver '{rig.arm.driver}'"
        )
    sound = rig.microphones
    if (sound.channels, sound.bits) != (4, 16):
        raise ConfigError(
            f"expected microphones.channels 4 and bits 16 in the simulated world, got "
            f"{sound.channels} and {sound.bits}"
        )
    if sound.sample_rate_hz != rig.world.sample_rate_hz:
        raise ConfigError(
            f"expected microphones.sample_rate_hz to be world.sample_rate_hz, got "
            f"{sound.sample_rate_hz} and {rig.world.sample_rate_hz}"
        )
    if sound.block_frames * 100 != sound.sample_rate_hz:
        raise ConfigError(
            f"expected microphones.block_frames of 10 ms, {sound.sample_rate_hz // 100}, "
            f"because the simulated tray is read at 100 Hz, got {sound.block_frames}"
        )
    if rig.tracker.learning_rate > 0.0:
        raise ConfigError(
            f"expected tracker.learning_rate 0, got {rig.tracker.learning_rate:g}: only the "
            f"pictures of episodes are painted, so the tracker cannot follow those between"
        )
