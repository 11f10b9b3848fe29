"""Simulated worlds and their sound. Nothing here imports ROS.

MuJoCo decides when it is first imported how it will render; without a display
that must be EGL, so it is said here, before any module of this package can
import it. Where EGL or OpenGL is not installed, rendering is switched off: physics and
sound still run, and only a camera complains. A choice made by the user stands.
"""

import ctypes
import os


def _choose_renderer() -> None:
    try:
        ctypes.CDLL("libEGL.so.1")
        ctypes.CDLL("libOpenGL.so.0")
    except OSError:
        os.environ.setdefault("MUJOCO_GL", "disable")
    else:
        os.environ.setdefault("MUJOCO_GL", "egl")


_choose_renderer()
