"""The live panel of a collection: what happens, at which rates, and what was lost."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

WORDS = {
    "": "starting",
    "gate": "waiting for the streams",
    "background": "learning the empty tray",
    "object": "placing the object",
    "tilting": "tilting",
    "writing": "writing",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Rate:
    """How one topic flows [Hz], and how many of its messages were lost."""

    topic: str
    rate_hz: float
    expected_hz: float
    lost: int


@dataclass(kw_only=True, slots=True)
class PanelState:
    """What the panel shows."""

    title: str
    object: str = ""
    phase: str = ""
    waiting_for: str = ""
    wanted: int = 0
    clean: int = 0
    clean_total: int = 0
    flagged_total: int = 0
    tilts: int = 0
    episodes_per_hour: float = math.nan
    time_left_s: float = math.nan
    disk_free_bytes: int | None = None
    rates: tuple[Rate, ...] = ()
    drops: Mapping[str, int] = field(default_factory=dict)
    events: list[str] = field(default_factory=list)


def duration(seconds: float) -> str:
    """Return a time as people write it; "-" when it is not known."""
    if not math.isfinite(seconds):
        return "-"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def _rates(state: PanelState) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("stream")
    table.add_column("Hz", justify="right")
    table.add_column("expected", justify="right")
    table.add_column("lost", justify="right")
    for rate in state.rates:
        well = rate.rate_hz >= 0.8 * rate.expected_hz
        table.add_row(
            rate.topic,
            Text(f"{rate.rate_hz:.1f}", style="green" if well else "red"),
            f"{rate.expected_hz:.1f}",
            Text(str(rate.lost), style="" if rate.lost == 0 else "red"),
        )
    return table


def _facts(state: PanelState) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="dim")
    table.add_column()
    table.add_row("object", Text(state.object or "-", style="bold"))
    phase = WORDS.get(state.phase, state.phase)
    waiting = f": {state.waiting_for}" if state.waiting_for else ""
    table.add_row("phase", Text(f"{phase}{waiting}"))
    kept = Text(f"{state.clean_total} clean", style="green")
    kept.append(", ").append(
        f"{state.flagged_total} flagged", style="yellow" if state.flagged_total else ""
    )
    table.add_row("episodes", kept)
    hourly = (
        "" if math.isnan(state.episodes_per_hour) else f", {state.episodes_per_hour:.0f} an hour"
    )
    table.add_row("tilts", f"{state.tilts}{hourly}")
    table.add_row("time left", duration(state.time_left_s))
    free = state.disk_free_bytes
    table.add_row("disk free", "-" if free is None else f"{free / 1e9:.1f} GB")
    lost = ", ".join(f"{cause} {count}" for cause, count in state.drops.items()) or "nothing"
    table.add_row("dropped", lost)
    return table


def render(state: PanelState) -> RenderableType:
    """Return the panel of this moment."""
    parts: list[RenderableType] = []
    columns = Table.grid(padding=(0, 4))
    columns.add_row(_facts(state), _rates(state))
    parts.append(columns)
    if state.wanted:
        bar = ProgressBar(total=state.wanted, completed=state.clean, width=60)
        parts.append(Padding(bar, 0))  # a bar by itself does not end its line
    if state.events:
        parts.append(Text("\n".join(state.events[-5:]), style="dim"))
    return Panel(Group(*parts), title=state.title, title_align="left", border_style="cyan")
