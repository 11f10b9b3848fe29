"""Photograph a report for the README: `.venv/bin/python docs/make_report_picture.py PAGE [VIEW]`.

PAGE is the report's index.html, VIEW what stands behind the # of its address.
Needs Chromium, and looks best where the font Inter is installed.
"""

import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

TARGET = Path(__file__).resolve().parent / "images" / "report.png"
SIZE = {"width": 1360, "height": 1010}
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
KEPT = [
    tuple(bytes.fromhex(colour))
    for colour in [
        "ffffff",
        "f4f6f8",
        "e2e7ec",
        "17202b",
        "566272",
        "8792a0",
        "1b6ca8",
        "e3eef7",
        "2f9e77",
        "e6f3ee",
        "17694c",
        "ffd23f",
        "e5b92f",
        "c89a1e",
        "fff0b8",
        "e39a2d",
        "d0435b",
        "b8412f",
        "d8715e",
        "7a2a1e",
    ]
]
LOADED = """() => document.querySelectorAll(".waiting").length === 0
  && [...document.images].every((image) => image.complete)"""


def main() -> int:
    """Write docs/images/report.png."""
    page = Path(sys.argv[1]).resolve()
    view = sys.argv[2] if len(sys.argv) > 2 else "/objects"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        tab = browser.new_page(viewport=SIZE)
        tab.goto(f"{page.as_uri()}#{view}")
        while not tab.evaluate(LOADED):
            tab.wait_for_timeout(100)
        tab.wait_for_timeout(500)
        tab.screenshot(path=TARGET)
        browser.close()
    picture = Image.open(TARGET).convert("RGB")
    # 256 colours, a third of the bytes; those of the page itself stay as they are.
    few = picture.quantize(256 - len(KEPT), method=Image.Quantize.MEDIANCUT)
    colours = few.getpalette() or []
    palette = Image.new("P", (1, 1))
    palette.putpalette(colours[: 3 * (256 - len(KEPT))] + [value for rgb in KEPT for value in rgb])
    picture.quantize(palette=palette, dither=Image.Dither.NONE).save(TARGET, optimize=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
