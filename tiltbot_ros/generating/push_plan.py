"""What pushes are made: which objects, how many of each, in which batches, from which seeds."""

from dataclasses import dataclass
from importlib.metadata import version
from itertools import zip_longest
from typing import Literal
from zlib import crc32

import numpy as np
from pydantic import Field

from tiltbot_ros.episodes.facts import software_version
from tiltbot_ros.errors import ConfigError
from tiltbot_ros.settings import Settings
from tiltbot_ros.worlds.camera import PictureSettings
from tiltbot_ros.worlds.object_body import rolls
from tiltbot_ros.worlds.objects import ObjectCatalogue, ObjectSpec
from tiltbot_ros.worlds.pushing import PushSettings
from tiltbot_ros.worlds.table_model import TableSettings

BATCH_PUSHES = 25
"""Pushes of one object that are made in one go: what a kill can cost at most."""

CAMERA = PictureSettings(mount="world", distance_m=1.15, width=384, height=384)
"""Looks down on 0.88 x 0.88 m, nearly the whole top, so that what leaves the square of
normalised coordinates is still seen; a pixel is 2.3 mm."""

_LIBRARIES = ("mujoco", "numpy", "opencv-python-headless")


@dataclass(frozen=True, kw_only=True, slots=True)
class PushBatch:
    """Pushes that are made in one go, alike whoever makes them and when.

    Attributes:
        index: running number in the plan.
        object: name of the object.
        label: its index in the plan's objects.
        first: number of the first push among those of the object.
        pushes: how many.
        row: of the first push in the data set.
    """

    index: int
    object: str
    label: int
    first: int
    pushes: int
    row: int

    @property
    def name(self) -> str:
        """Name of the file that it is kept in."""
        return f"batch_{self.index:05d}"


class PushPlan(Settings):
    """Everything that decides what is made; it becomes part of the manifest."""

    seed: int = Field(ge=0, description="of everything random")
    pushes: int = Field(ge=1, le=1_000_000, description="of all objects together")
    train_objects: tuple[str, ...] = Field(min_length=1, description="of set A")
    test_objects: tuple[str, ...] = Field(description="of set B")
    picture_pixels: int = Field(
        128, ge=16, le=1080, description="side of the pictures that are kept [pixels]"
    )
    batch_pushes: int = Field(BATCH_PUSHES, ge=1, le=10_000, description="made in one go")
    table: TableSettings = Field(default=TableSettings(), description="physics")
    camera: PictureSettings = Field(description="what locates the object, square")
    pushing: PushSettings = Field(default=PushSettings(), description="how pushes are drawn")
    objects_digest: str = Field(description="of all that the catalogue says of the objects")
    versions: dict[str, str] = Field(description="of tiltbot and of the libraries")

    @property
    def objects(self) -> tuple[str, ...]:
        """All objects, those to train on first."""
        return self.train_objects + self.test_objects

    def batches(self) -> tuple[PushBatch, ...]:
        """Return the batches, object by object; the first objects get what does not divide."""
        found: list[PushBatch] = []
        share, more = divmod(self.pushes, len(self.objects))
        row = 0
        for label, name in enumerate(self.objects):
            count = share + (label < more)
            for first in range(0, count, self.batch_pushes):
                pushes = min(self.batch_pushes, count - first)
                found.append(
                    PushBatch(
                        index=len(found),
                        object=name,
                        label=label,
                        first=first,
                        pushes=pushes,
                        row=row,
                    )
                )
                row += pushes
        return tuple(found)

    def camera_seed(self, name: str) -> int:
        """Return the seed of the camera's noise over an object."""
        return int(np.random.SeedSequence([self.seed, crc32(name.encode())]).generate_state(1)[0])

    def randomness(self, name: str, number: int) -> np.random.Generator:
        """Return what decides push `number` of an object."""
        return np.random.default_rng([self.seed, crc32(name.encode()), number])


def choose_objects(
    catalogue: ObjectCatalogue, name: Literal["A", "B"], count: int = 10
) -> tuple[ObjectSpec, ...]:
    """Return the objects of a set that are pushed.

    The rule: none that rolls on the side it rests on (it would leave the
    table); then, in the order of the catalogue, the first object of each
    material, the second of each, and so on, so that the materials are covered.

    Raises:
        ConfigError: the set has too few such objects.
    """
    by_material: dict[str, list[ObjectSpec]] = {}
    for spec in catalogue.sets[name]:
        if not rolls(spec):
            by_material.setdefault(spec.material, []).append(spec)
    turns = zip_longest(*by_material.values())
    ordered = [spec for turn in turns for spec in turn if spec is not None]
    if len(ordered) < count:
        raise ConfigError(
            f"expected {count} objects of set {name} that do not roll, there are {len(ordered)}"
        )
    return tuple(ordered[:count])


def make_push_plan(
    *,
    pushes: int = 1000,
    seed: int = 0,
    objects_per_set: int = 10,
    batch_pushes: int = BATCH_PUSHES,
    camera: PictureSettings | None = None,
    picture_pixels: int = 128,
    table: TableSettings | None = None,
    pushing: PushSettings | None = None,
    catalogue: ObjectCatalogue | None = None,
) -> PushPlan:
    """Return the plan for so many pushes, shared out evenly.

    Raises:
        ConfigError: fewer pushes than objects, or too few objects that can be pushed.
    """
    if pushes < 2 * objects_per_set:
        raise ConfigError(
            f"expected at least one push of each of {2 * objects_per_set} objects, got {pushes}"
        )
    catalogue = catalogue or ObjectCatalogue.load()
    train = choose_objects(catalogue, "A", objects_per_set)
    test = choose_objects(catalogue, "B", objects_per_set)
    digests = "".join(spec.digest() for spec in (*train, *test))
    return PushPlan(
        seed=seed,
        pushes=pushes,
        train_objects=tuple(spec.name for spec in train),
        test_objects=tuple(spec.name for spec in test),
        camera=camera or CAMERA,
        picture_pixels=picture_pixels,
        batch_pushes=batch_pushes,
        table=table or TableSettings(),
        pushing=pushing or PushSettings(),
        objects_digest=f"{crc32(digests.encode()):08x}",
        versions={
            "tiltbot": software_version(),
            **{library: version(library) for library in _LIBRARIES},
        },
    )
