"""Draw docs/images/pushing.png: some pushes of the data set, and one push on every object.

Run `.venv/bin/python docs/make_pushing.py`.
"""

from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from tiltbot_ros.generating.push_plan import PushPlan, make_push_plan
from tiltbot_ros.generating.pushes import place_and_draw
from tiltbot_ros.generating.table_view import TableView
from tiltbot_ros.pictures.style import CONTACT, FAINT, INK, plain
from tiltbot_ros.worlds.objects import ObjectCatalogue
from tiltbot_ros.worlds.pushing import Push
from tiltbot_ros.worlds.table import TableWorld

TARGET = Path(__file__).resolve().parent / "images" / "pushing.png"
SHOWN = (
    ("005_tomato_soup_can", 8),
    ("025_mug", 2),
    ("035_power_drill", 11),
    ("003_cracker_box", 6),
    ("037_scissors", 6),
    ("hockey_puck", 4),
)
PIXELS = 640
SAME = Push(start=np.array([-0.2, 0.0]), end=np.array([0.02, 0.0]))


def show(axes: Axes, picture: NDArray[np.uint8], half_m: float, reach_m: float) -> None:
    """Draw a picture in the table's coordinates, cut to the square of them."""
    axes.imshow(picture, extent=(-reach_m, reach_m, -reach_m, reach_m), interpolation="antialiased")
    axes.set(xlim=(-half_m, half_m), ylim=(-half_m, half_m), xticks=[], yticks=[])


def column(plan: PushPlan, axes: NDArray[np.object_], name: str, number: int) -> None:
    """Draw one push: before, when the stick stops, after."""
    world = TableWorld(plan.table, ObjectCatalogue.load().get(name))
    view = TableView(world, plan.camera, seed=plan.camera_seed(name))
    push, before = place_and_draw(plan, world, view, number)
    reach_m = plan.camera.distance_m * np.tan(np.radians(plan.camera.fov_deg / 2))
    half_m = plan.table.half_side_m
    show(axes[0], before.color, half_m, reach_m)
    axes[0].set_title(f"{name}\nfriction {world.table.spec.contact.friction:.2f}", fontsize=9)
    brief = plan.pushing.model_copy(update={"longest_rest_s": 1e-3})
    world.push(push, brief)
    show(axes[1], view.picture(world, number=number, stick=True), half_m, reach_m)
    world.wait(plan.pushing)
    after = view.look(world, number=2 * number + 1)
    show(axes[2], after.color, half_m, reach_m)
    view.close()
    for ax in (axes[0], axes[2]):
        arrow = {"arrowstyle": "->", "color": CONTACT, "lw": 1.8, "shrinkA": 0, "shrinkB": 0}
        ax.annotate("", push.end, push.start, arrowprops=arrow)
    ring = {"ls": "", "marker": "o", "mfc": "none", "ms": 8, "mew": 1.8}
    axes[0].plot(*before.location.position[:2], color="#ffd23f", **ring)
    axes[2].plot(*before.location.position[:2], color="#ffd23f", **ring)
    axes[2].plot(*after.location.position[:2], color="#3bd16f", **ring)


def bars(plan: PushPlan, axes: Axes) -> None:
    """Draw how far every object slides on after the same push has stopped."""
    ways = []
    for name in plan.objects:
        spec = ObjectCatalogue.load().get(name)
        found = []
        for yaw in np.linspace(0.0, 2 * np.pi, 12, endpoint=False):
            world = TableWorld(plan.table, spec)
            world.place(np.zeros(2), float(yaw), settle_s=plan.pushing.settle_s)
            track = world.push(SAME, plan.pushing)
            stopped = int(np.searchsorted(track.time_s, track.stick_stopped_s))
            way = track.position[-1] - track.position[stopped]
            found.append(1000 * float(np.hypot(*way[:2])))
        ways.append((spec.contact.friction, np.median(found), name, spec.material, found))
    ways.sort(key=lambda row: (row[0], -row[1]))
    places = np.arange(len(ways))
    shades = plt.get_cmap("viridis")((np.array([row[0] for row in ways]) - 0.09) / 0.12)
    axes.bar(places, [row[1] for row in ways], color=shades, width=0.7)
    for place, row in zip(places, ways, strict=True):
        axes.plot(np.full(len(row[4]), place), row[4], ".", color=INK, ms=2.5)
    axes.set_xticks(
        places, [f"{row[2]}\n{row[3]} {row[0]:.2f}" for row in ways], rotation=60, ha="right"
    )
    plain(axes)
    axes.grid(visible=False, axis="x")
    axes.tick_params(axis="x", labelsize=7)
    axes.set_ylabel("way after the stick\nhas stopped [mm]", fontsize=9, color=INK)
    axes.set_title(
        "the same push on all 20 objects, 12 yaws each (bar: median), by friction",
        fontsize=9,
        color=FAINT,
        loc="left",
    )


def main() -> None:
    """Draw and write the picture."""
    plan = make_push_plan()
    sharp = plan.camera.model_copy(update={"width": PIXELS, "height": PIXELS})
    plan = plan.model_copy(update={"camera": sharp})
    figure = plt.figure(figsize=(12.0, 9.4), dpi=110)
    upper, lower = figure.subfigures(2, 1, height_ratios=(6.2, 3.2))
    grid = upper.subplots(3, len(SHOWN), gridspec_kw={"wspace": 0.05, "hspace": 0.05})
    for place, (name, number) in enumerate(SHOWN):
        column(plan, grid[:, place], name, number)
    for ax, text in zip(grid[:, 0], ("before", "the stick stops", "after"), strict=True):
        ax.set_ylabel(text, fontsize=10, color=INK)
    upper.subplots_adjust(left=0.04, right=0.99, top=0.92, bottom=0.02)
    bars(plan, lower.subplots())
    lower.subplots_adjust(left=0.08, right=0.99, top=0.9, bottom=0.46)
    TARGET.parent.mkdir(exist_ok=True)
    figure.savefig(TARGET)


if __name__ == "__main__":
    main()
