"""Rendering: does OpenGL work without a screen, and fast enough for the camera's rate?"""

import os
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiltbot_ros.doctor.findings import Finding, Needs, fail, ok, warn

_FRAMES = 5
_SCENE = """
<mujoco>
  <visual><global offwidth="{width}" offheight="{height}"/></visual>
  <worldbody>
    <light pos="0 0 2"/>
    <geom type="plane" size="1 1 .1" rgba=".8 .8 .8 1"/>
    <body pos="0 0 .1"><geom type="box" size=".1 .1 .1" rgba="1 0 0 1"/></body>
    <camera name="above" pos="0 0 1"/>
  </worldbody>
</mujoco>
"""
_ADVICE = (
    "sudo apt-get install libegl1 libopengl0 libgl1-mesa-dri, and leave MUJOCO_GL unset or set it "
    "to 'egl'"
)


def examine(needs: Needs) -> list[Finding]:
    """Render colour and depth as the simulated camera does."""
    if not needs.simulated or needs.camera is None:
        return [ok("rendering", f"rig '{needs.rig}' renders nothing")]
    camera = needs.camera
    backend = os.environ.setdefault("MUJOCO_GL", "egl")
    try:
        per_frame_s = _render(camera.width, camera.height)
    except Exception as error:  # noqa: BLE001 - OpenGL's loaders raise anything
        text = f"OpenGL ({backend}) does not work: {type(error).__name__}: {error}"
        return [fail("rendering", text, _ADVICE)]
    share = per_frame_s * camera.rate_hz
    text = (
        f"{camera.width}x{camera.height} colour and depth in {per_frame_s * 1e3:.0f} ms "
        f"({backend}): {share:.0%} of the time at {camera.rate_hz:g} Hz"
    )
    if share > 1.0:
        return [fail("rendering", text, "lower camera.rate_hz, width or height in the rig's YAML")]
    if share > 0.6:
        return [warn("rendering", text, "lower camera.rate_hz or the size if frames come late")]
    return [ok("rendering", text)]


def _render(width: int, height: int) -> float:
    """Return the time of one colour and one depth image [s]."""
    import mujoco  # noqa: PLC0415 - after MUJOCO_GL is set

    model = mujoco.MjModel.from_xml_string(_SCENE.format(width=width, height=height))
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    with mujoco.Renderer(model, height, width) as renderer:
        colour = _both(renderer, data)
        if colour.max() == colour.min():
            raise RuntimeError("the rendered image is blank")
        start = time.perf_counter()
        for _ in range(_FRAMES):
            _both(renderer, data)
        return (time.perf_counter() - start) / _FRAMES


def _both(renderer: Any, data: Any) -> NDArray[np.uint8]:
    renderer.disable_depth_rendering()
    renderer.update_scene(data, camera="above")
    colour: NDArray[np.uint8] = renderer.render()
    renderer.enable_depth_rendering()
    renderer.render()
    return colour
