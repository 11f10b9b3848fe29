"""Writing a figure so that the same figures give the same bytes."""

from pathlib import Path

from matplotlib.figure import Figure

DPI = 100


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, without the date or the program's version."""
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=DPI, metadata={"Software": None}, facecolor="white")
