"""Colours and lines of the pictures."""

from matplotlib.axes import Axes

PAPER = "#ffffff"
INK = "#1d2730"
FAINT = "#7b8794"
GRID = "#e4e8ec"
CONTACT = "#d7263d"
ARROW = "#ffd23f"
CHANNELS = ("#1b6ca8", "#e07a1f", "#2a9d6f", "#8a4fbe", "#b5533c", "#4c6a92")
X_COLOUR, Y_COLOUR = "#1b6ca8", "#e07a1f"
TRACK = "viridis"
POWER = "magma"


def plain(axes: Axes) -> None:
    """Take away what tells nothing."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(FAINT)
    axes.tick_params(colors=INK, labelsize=9, length=3)
    axes.grid(visible=True, axis="x", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
