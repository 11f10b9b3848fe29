"""Which code and which machine made a result."""

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[2]


def git_sha() -> str:
    """Return the commit of the code, with `+changes` where files differ from it.

    Outside a checkout it is the version of the installed package.
    """
    try:
        sha = _git("rev-parse", "HEAD")
        changed = _git("status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.SubprocessError):
        return f"version {_version('tiltbot')}"
    return f"{sha}+changes" if changed else sha


def machine() -> dict[str, str]:
    """Return what a figure of speed depends on."""
    return {
        "processors": str(len(os.sched_getaffinity(0))),
        "processor": _processor(),
        "python": platform.python_version(),
        "torch": _version("torch"),
        "lightning": _version("lightning"),
    }


def _git(*words: str) -> str:
    done = subprocess.run(  # noqa: S603 - fixed words
        ["git", "-C", str(_PACKAGE), *words],  # noqa: S607 - the user's own git
        capture_output=True,
        check=True,
        text=True,
        timeout=10,
    )
    return done.stdout.strip()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((li.partition(":")[2].strip() for li in lines if li.startswith("model name")), "")
