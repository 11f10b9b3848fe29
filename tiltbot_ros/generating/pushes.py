"""Make pushes: place, look, push, look again; batch by batch."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tiltbot_ros.errors import WorldError
from tiltbot_ros.generating.pool import stopped, work_through
from tiltbot_ros.generating.push_folder import PushFolder, keep
from tiltbot_ros.generating.push_plan import PushBatch, PushPlan
from tiltbot_ros.generating.push_set import ARRAYS, PushSet
from tiltbot_ros.generating.table_view import Sight, TableView
from tiltbot_ros.worlds.objects import ObjectCatalogue
from tiltbot_ros.worlds.pushing import Push, draw_push
from tiltbot_ros.worlds.table import TableWorld

_TRIES = 20


def generate_pushes(
    folder: PushFolder,
    *,
    workers: int = 1,
    tell: Callable[[int], None] = lambda _: None,
) -> PushSet:
    """Make what a folder still lacks, and return the whole data set.

    Args:
        folder: opened; it stays the caller's to close.
        workers: processes at a time.
        tell: told after every batch how many pushes there are.

    Raises:
        TiltbotError: a batch failed; those that were finished stay.
    """
    tell(folder.made())
    left = folder.left()
    if left:
        work_through(
            partial(_work, plan=folder.plan),
            [(batch, folder.file(batch)) for batch in left],
            workers=workers,
            ended=lambda _batch, _result: tell(folder.made()),
        )
    return folder.join()


def make_batch(
    plan: PushPlan, batch: PushBatch, *, give_up: Callable[[], bool] = lambda: False
) -> dict[str, NDArray[Any]] | None:
    """Make the pushes of a batch: every array of ARRAYS; None when it was given up.

    Raises:
        MissingDependencyError: there is no EGL to render with.
        WorldError: an object is never seen, or the physics becomes unstable.
    """
    spec = ObjectCatalogue.load().get(batch.object)
    world = TableWorld(plan.table, spec)
    view = TableView(world, plan.camera, seed=plan.camera_seed(spec.name))
    rows: list[dict[str, object]] = []
    try:
        for number in range(batch.first, batch.first + batch.pushes):
            if give_up():
                return None
            rows.append(_make_push(plan, world, view, number))
    finally:
        view.close()
    stacked = {
        name: np.stack([np.asarray(row[name]) for row in rows]).astype(ARRAYS[name].dtype)
        for name in rows[0]
    }
    stacked["object"] = np.full(len(rows), batch.label, ARRAYS["object"].dtype)
    return stacked


def place_and_draw(
    plan: PushPlan, world: TableWorld, view: TableView, number: int
) -> tuple[Push, Sight]:
    """Place the object for push `number` and draw the push from what the camera sees.

    Raises:
        WorldError: the object is not seen wherever it is placed.
    """
    spec = world.table.spec
    name = spec.name if spec is not None else ""
    rng = plan.randomness(name, number)
    for _ in range(_TRIES):
        angle, reach = rng.uniform(0.0, 2 * np.pi), np.sqrt(rng.uniform())
        centre = np.array([np.cos(angle), np.sin(angle)])
        world.place(
            plan.pushing.placement_radius_m * reach * centre,
            rng.uniform(-np.pi, np.pi),
            settle_s=plan.pushing.settle_s,
        )
        before = view.look(world, number=2 * number)
        if before.location.valid and len(before.surface):
            push = draw_push(
                rng,
                before.surface,
                plan.pushing,
                stick_radius_m=plan.table.stick_radius_m,
                half_side_m=plan.table.half_side_m,
            )
            return push, before
    raise WorldError(f"expected the camera to see {name} on the table, it did not {_TRIES} times")


def _make_push(
    plan: PushPlan, world: TableWorld, view: TableView, number: int
) -> dict[str, object]:
    push, before = place_and_draw(plan, world, view, number)
    start = world.pose
    track = world.push(push, plan.pushing)
    after = view.look(world, number=2 * number + 1)
    end = world.pose
    unit_m = plan.table.half_side_m
    size = (plan.picture_pixels, plan.picture_pixels)
    return {
        "location_start": before.location.position[:2] / unit_m,
        "push_start": push.start / unit_m,
        "push_end": push.end / unit_m,
        "location_end": after.location.position[:2] / unit_m,
        "number": number,
        "truth_start": [*start.position[:2], start.yaw],
        "truth_end": [*end.position[:2], end.yaw],
        "upright": end.upright,
        "rested": track.rested,
        "before": cv2.resize(before.color, size, interpolation=cv2.INTER_AREA),
        "after": cv2.resize(after.color, size, interpolation=cv2.INTER_AREA),
    }


def _work(item: tuple[PushBatch, Path], *, plan: PushPlan) -> None:
    batch, file = item
    made = make_batch(plan, batch, give_up=stopped)
    if made is not None:
        keep(file, made)
