"""Lists and reports of 15,000 episodes: time to make them, and to open them in Chromium.

Times are processor time, so that other work on the machine does not count,
except for what the browser says of itself.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.made_up import write_facts
from benchmarks.report import options, tell
from tiltbot_ros.reporting.media import media_of
from tiltbot_ros.reporting.report import make_report
from tiltbot_ros.reporting.settings import ReportSettings

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
_CLI = "import sys; from tiltbot_ros.cli import main; sys.exit(main(sys.argv[1:]))"
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]


def tiltbot(*words: object) -> float:
    """Run the command in a process of its own; return its processor time [s]."""
    before = _children_s()
    command = [sys.executable, "-c", _CLI, *map(str, words)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return _children_s() - before


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def opened(page: Path) -> tuple[float, float]:
    """Return DOMContentLoaded and first contentful paint of a page [s], the better of three."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only with Chromium

    times = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for _ in range(3):
            tab = browser.new_page()
            tab.goto(page.as_uri())
            tab.wait_for_timeout(500)
            times.append(
                tab.evaluate(
                    """() => [
                      performance.getEntriesByType("navigation")[0].domContentLoadedEventEnd,
                      performance.getEntriesByName("first-contentful-paint")[0].startTime,
                    ]"""
                )
            )
            tab.close()
        browser.close()
    loaded, painted = min(times)
    return loaded / 1e3, painted / 1e3


def entries(folder: Path) -> tuple[float, int]:
    """Return the processor time [ms] and the bytes of a gallery's entry, made from a real bag."""
    tiltbot("generate", "--out", folder, "--object", "025_mug", "--episodes", 4, "--workers", 1)
    paths = sorted(folder.glob("ep_*"))
    settings = ReportSettings()
    made = make_report(folder, folder / "report", settings)
    best = min(_timed_ms(paths, settings) for _ in range(5))
    return best, made.media_bytes // len(paths)


def _timed_ms(paths: list[Path], settings: ReportSettings) -> float:
    begin = time.process_time()
    for path in paths:
        media_of(path, settings)
    return 1e3 * (time.process_time() - begin) / len(paths)


def main() -> None:
    """Print the table."""
    chosen = options(__doc__ or "")
    count = 1500 if chosen.quick else 15_000
    folder = Path(tempfile.mkdtemp(prefix="report_scale"))
    try:
        data = folder / "data"
        write_facts(data, count)
        ls_s = tiltbot("episodes", "ls", data)
        find_s = tiltbot("episodes", "find", data, "--problem", "continuity", "--count")
        begin = time.process_time()
        made = make_report(data, folder / "report", ReportSettings(gallery=0))
        table_s = time.process_time() - begin
        entry_ms, entry_bytes = entries(folder / "generated")
        loaded_s, painted_s = opened(made.page) if CHROMIUM else (float("nan"),) * 2
    finally:
        shutil.rmtree(folder)
    figures = {
        "episodes": count,
        "ls_s": ls_s,
        "find_s": find_s,
        "table_s": table_s,
        "row_ms": 1e3 * table_s / count,
        "page_bytes": made.page_bytes,
        "entry_ms": entry_ms,
        "entry_bytes": entry_bytes,
        "content_loaded_s": loaded_s,
        "first_paint_s": painted_s,
    }
    rows = [
        ("episodes in the table", f"{count}", "15000"),
        ("episodes ls / find", f"{ls_s:.1f} / {find_s:.1f} s", "< 3 s"),
        ("page without galleries", f"{table_s:.1f} s", ""),
        ("  for each row", f"{1e3 * table_s / count:.2f} ms", "<= 3 ms"),
        ("  its size", f"{made.page_bytes / 1e6:.2f} MB", ""),
        ("entry of a gallery", f"{entry_ms:.0f} ms", "<= 30 ms"),
        ("  its size", f"{entry_bytes / 1e3:.0f} kB", ""),
        ("Chromium: content loaded", f"{loaded_s:.2f} s", "< 2 s"),
        ("Chromium: first paint", f"{painted_s:.2f} s", "< 2 s"),
    ]
    tell("Report", rows, figures=figures, file=chosen.json)


if __name__ == "__main__":
    main()
