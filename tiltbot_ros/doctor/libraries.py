"""Python and the libraries: which versions, and can they be imported?"""

import importlib
import importlib.metadata
import platform
import sys

from tiltbot_ros.doctor.findings import Finding, Needs, fail, ok, warn

_OLDEST = (3, 11)

_NEEDED = {
    "numpy": "numpy",
    "scipy": "scipy",
    "pydantic": "pydantic",
    "PyYAML": "yaml",
    "rosbags": "rosbags.rosbag2",
    "soundfile": "soundfile",
    "opencv-python-headless": "cv2",
    "matplotlib": "matplotlib.figure",
}


def examine(needs: Needs) -> list[Finding]:
    """Examine the interpreter and the libraries."""
    found = [_python(), _package()]
    wanted = dict(_NEEDED)
    if needs.simulated:
        wanted["mujoco"] = "mujoco"
    if needs.microphones.source == "sounddevice":
        wanted["sounddevice"] = "sounddevice"
    broken = {name: problem for name, module in wanted.items() if (problem := _problem(module))}
    versions = [f"{name} {_version(name)}" for name in wanted if name not in broken]
    if versions:
        found.append(ok("libraries", ", ".join(versions)))
    found += [
        fail(name, f"cannot be imported: {problem}", f"./run setup, or pip install {name}")
        for name, problem in broken.items()
    ]
    return found


def _python() -> Finding:
    text = f"{platform.python_version()} in {sys.prefix}"
    if sys.version_info < _OLDEST:
        return fail("Python", text, f"install Python {'.'.join(map(str, _OLDEST))} or newer")
    return ok("Python", text)


def _package() -> Finding:
    try:
        return ok("tiltbot", importlib.metadata.version("tiltbot"))
    except importlib.metadata.PackageNotFoundError:
        return warn("tiltbot", "runs from a bare source tree", "./run setup, or colcon build")


def _problem(module: str) -> str:
    try:
        importlib.import_module(module)
    except Exception as error:  # noqa: BLE001 - a broken native library raises anything
        return f"{type(error).__name__}: {error}"
    return ""


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "(version not known)"
