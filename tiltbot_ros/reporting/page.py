"""The page itself: one HTML file with its styles, its script and the table inside.

Names and labels come from people and from files of anybody: nothing of them
ever becomes markup. The table is a block of JSON whose angle brackets are
escaped, the script makes text nodes and attributes of it, and the page's
content security policy lets nothing run but its own script and what that
loads, and nothing come from the network.
"""

import base64
import hashlib
import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pydantic_core import to_json

from tiltbot_ros.reporting.media import Media

GENERATOR = "tiltbot"

_FOLDER = Path(__file__).with_name("page")
_STYLES = ("theme", "frame", "charts", "shots", "lists", "widths")
_SCRIPTS = (
    "elements",
    "episodes",
    "state",
    "filters",
    "plotting",
    "charts",
    "media",
    "shots",
    "lists",
    "detail",
    "pages",
    "main",
)
"""Each may use what stands before it when it is loaded, and everything when it is called."""

_PLACE = re.compile(r"\{\{(\w+)\}\}")
_ESCAPES = {
    "<": "\\u003c",
    ">": "\\u003e",
    "&": "\\u0026",
    "\u2028": "\\u2028",
    "\u2029": "\\u2029",
}
_ICON = (
    "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'>"
    "<path d='M3 22.5 27 13.2l1.6 4.2L4.6 26.7z' fill='#1b6ca8'/>"
    "<circle cx='13.2' cy='14.6' r='3.4' fill='#e39a2d'/></svg>"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class PageObject:
    """An object as the page tells it; all but the name may be empty.

    Attributes:
        name: empty: the episodes without a name.
        set: A or B.
        material, shape, color: of the catalogue.
        mass_kg: [kg].
        cover: data URI of a small picture.
    """

    name: str
    set: str = ""
    material: str = ""
    shape: str = ""
    color: str = ""
    mass_kg: float | None = None
    cover: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class PageChunk:
    """Episodes whose media come together.

    Attributes:
        file: address of the file, relative to the page; empty: a block within it.
        episodes: their rows.
    """

    file: str
    episodes: tuple[int, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class PageRows:
    """The table by columns; texts are indices into `PageTable.texts`.

    Attributes:
        id: of the episodes.
        object: index into `PageTable.objects`.
        time: of the contact [ms].
        level, channel, ax, ay, contacts, rate, seconds, bytes: as in `Row`.
        verdict: 0 clean, 1 flagged, 2 unreadable.
        kinds: indices into `PageTable.kinds`.
        problems, outcome: texts.
        labels: pairs of texts.
        kept: 0 or 1.
    """

    id: list[str]
    object: list[int]
    time: list[int | None]
    level: list[float | None]
    channel: list[int | None]
    ax: list[float | None]
    ay: list[float | None]
    contacts: list[int | None]
    rate: list[float | None]
    seconds: list[float | None]
    bytes: list[int | None]
    verdict: list[int]
    kinds: list[tuple[int, ...]]
    problems: list[tuple[int, ...]]
    outcome: list[int]
    labels: list[tuple[tuple[int, int], ...]]
    kept: list[int]


@dataclass(frozen=True, kw_only=True, slots=True)
class PageTable:
    """All that the page knows before it loads pictures and sound.

    Attributes:
        title: name of the data set.
        folder: name of its folder.
        software: version of tiltbot.
        made: day and time.
        note: what the galleries show, in words.
        pause_s: longer without a contact is a pause [s].
        objects: by name.
        kinds: of problems.
        texts: problems, outcomes, labels.
        chunks: of media.
        rows: the episodes.
    """

    title: str
    folder: str
    software: str
    made: str
    note: str
    pause_s: float
    objects: tuple[PageObject, ...]
    kinds: tuple[str, ...]
    texts: tuple[str, ...]
    chunks: tuple[PageChunk, ...]
    rows: PageRows


def page(table: PageTable, blocks: Sequence[bytes] = ()) -> bytes:
    """Return the page.

    Args:
        table: the data set.
        blocks: `chunk_json` of every chunk, where media are to be within the page.
    """
    style, script = _style(), _script()
    policy = "; ".join(
        (
            "default-src 'none'",
            f"script-src '{_hash(script)}' 'strict-dynamic'",
            f"style-src '{_hash(style)}'",
            "img-src data:",
            "media-src blob:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    media = b"".join(
        b'<script type="application/json" id="chunk-%d">%s</script>\n' % (number, block)
        for number, block in enumerate(blocks)
    )
    parts = {
        "policy": html.escape(policy, quote=False).encode(),
        "generator": html.escape(f"{GENERATOR} {table.software}").encode(),
        "title": html.escape(table.title).encode("utf-8", "replace"),
        "icon": b"data:image/svg+xml;base64," + base64.b64encode(_ICON.encode()),
        "style": style.encode(),
        "script": script.encode(),
        "data": _json(table),
        "media": media,
    }
    pieces = _PLACE.split(_asset("page.html"))
    return b"".join(
        parts[piece] if number % 2 else piece.encode() for number, piece in enumerate(pieces)
    )


def chunk_json(media: Sequence[Media]) -> bytes:
    """Return media as a list in JSON, files in base64."""
    return _json(media)


def chunk_script(number: int, block: bytes) -> bytes:
    """Return a chunk as a script that hands it to the page, for a file beside it."""
    return b"tiltbotMedia(%d, %s);\n" % (number, block)


def data_uri(jpeg: bytes) -> str:
    """Return a JPEG as an address."""
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode()


def is_page(start: bytes) -> bool:
    """Say whether a file that starts so was made by `page`."""
    return f'<meta name="generator" content="{GENERATOR} '.encode() in start


def _json(value: Any) -> bytes:
    """Return JSON that is safe within a script element and as a script."""
    text = to_json(value, bytes_mode="base64", inf_nan_mode="null").decode()
    for letter, escape in _ESCAPES.items():
        text = text.replace(letter, escape)
    return text.encode()


@cache
def _style() -> str:
    return "\n".join(_asset(f"{name}.css") for name in _STYLES)


@cache
def _script() -> str:
    text = "\n".join(_asset(f"{name}.js") for name in _SCRIPTS)
    return f'"use strict";\n(() => {{\n{text}}})();\n'


def _asset(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
