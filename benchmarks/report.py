"""How a benchmark takes its options and tells its figures."""

import argparse
import json
import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table


def options(description: str) -> argparse.Namespace:
    """Parse the options that every benchmark has: --quick, --seconds=N and --json FILE."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true", help="a short run, to see that it works")
    parser.add_argument("--seconds", type=float, help="length, of a benchmark that has one [s]")
    parser.add_argument("--json", type=Path, help="write the figures to this file, too")
    return parser.parse_args()


def tell(
    title: str,
    rows: Sequence[tuple[str, str, str]],
    *,
    figures: Mapping[str, object],
    file: Path | None,
) -> None:
    """Print a table of (what, measured, target) and write the figures as JSON."""
    table = Table(title=title, title_justify="left")
    for column in ("", "measured", "target"):
        table.add_column(column)
    for row in rows:
        table.add_row(*row)
    Console().print(table)
    if file is not None:
        machine = {"processors": os.cpu_count(), "python": platform.python_version()}
        file.write_text(json.dumps({"machine": machine, **figures}, indent=2) + "\n")


def spread_ms(times_s: npt.NDArray[np.float64]) -> dict[str, float]:
    """Return p50, p99 and the greatest of times (n,) [s], in ms."""
    p50, p99, most = 1e3 * np.percentile(times_s, [50, 99, 100])
    return {"p50": float(p50), "p99": float(p99), "max": float(most)}


def spread_words(times_s: npt.NDArray[np.float64]) -> str:
    """Return the same as a cell of a table."""
    return " / ".join(f"{value:.2f}" for value in spread_ms(times_s).values()) + " ms"
