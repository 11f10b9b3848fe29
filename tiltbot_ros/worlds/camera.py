"""The camera above the tray: colour and depth, rendered without a display."""

import os
from dataclasses import dataclass
from typing import Any, Literal

import mujoco
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tiltbot_ros.errors import MissingDependencyError
from tiltbot_ros.sensors.image_codec import PackedImages
from tiltbot_ros.settings import Settings
from tiltbot_ros.worlds.noise import generator
from tiltbot_ros.worlds.tray import TrayWorld
from tiltbot_ros.worlds.tray_model import TrayModel
from tiltbot_ros.worlds.tray_state import Snapshot

_NOISE_STREAM = 200
_TILE = 64


class ViewSettings(Settings):
    """Where the camera is, what it sees, how noisy it is."""

    mount: Literal["tray", "world"] = Field(
        "tray", description="'tray': moves with it, as the paper's; 'world': fixed above it"
    )
    distance_m: float = Field(
        0.52, ge=0.15, le=3.0, description="height above the centre of the tray's floor [m]"
    )
    fov_deg: float = Field(
        42.0, ge=10.0, le=120.0, description="vertical field of view, a D435's colour camera [deg]"
    )
    shadows: bool = Field(default=True, description="draw shadows")
    shadow_pixels: int = Field(
        1024, ge=64, le=8192, description="columns and rows of the map of shadows"
    )
    antialiasing: int = Field(
        0,
        ge=0,
        le=16,
        description="samples a pixel, which smooth edges; 4 double the time that a picture takes "
        "without a GPU",
    )
    color_noise: float = Field(
        1.2, ge=0.0, le=50.0, description="deviation of a colour value [1/255]"
    )
    depth_noise: float = Field(
        0.001, ge=0.0, le=0.1, description="deviation of depth, relative to it squared [1/m]"
    )
    farthest_m: float = Field(
        10.0, ge=0.1, le=65.0, description="depth beyond this is unknown, 0 [m]"
    )


class PictureSettings(ViewSettings):
    """A view in pixels."""

    width: int = Field(640, ge=16, le=4096, description="columns of an image [pixels]")
    height: int = Field(480, ge=16, le=4096, description="rows of an image [pixels]")


@dataclass(frozen=True, kw_only=True, slots=True)
class RenderedFrame:
    """One picture of the world.

    Attributes:
        frame: sound frame of the instant it shows.
        color: (height, width, 3) uint8, red, green, blue.
        depth: (height, width) uint16, distance along the optical axis [mm], 0 unknown.
        packed: the same compressed, where that was asked for.
    """

    frame: int
    color: NDArray[np.uint8]
    depth: NDArray[np.uint16]
    packed: PackedImages | None = None


def intrinsics(settings: PictureSettings) -> NDArray[np.float64]:
    """Return the camera matrix (3, 3) [pixels], the centre of pixel (0, 0) being (0, 0).

    MuJoCo's vertical field of view spans the image's height exactly and its
    pixels are square.
    """
    focal = settings.height / 2 / np.tan(np.radians(settings.fov_deg) / 2)
    centre_x, centre_y = (settings.width - 1) / 2, (settings.height - 1) / 2
    return np.array([[focal, 0.0, centre_x], [0.0, focal, centre_y], [0.0, 0.0, 1.0]])


def pose(settings: PictureSettings) -> NDArray[np.float64]:
    """Return the pose (4, 4) of the optical frame: in `tray`, or in `tray_level` (mount world).

    The camera looks down; the image's right is the tray's +x, its down is -y.
    """
    matrix = np.diag([1.0, -1.0, -1.0, 1.0])
    matrix[2, 3] = settings.distance_m
    return matrix


class TrayCamera:
    """Renders the world; lives in one thread, the one that made it."""

    def __init__(self, world: TrayWorld, settings: PictureSettings | None = None) -> None:
        """Open the renderer.

        Raises:
            MissingDependencyError: there is no EGL to render with.
        """
        self._world = world
        self._painter = Painter(settings or PictureSettings(), seed=world.seed)
        self._placement = -1

    @property
    def settings(self) -> PictureSettings:
        """The settings that it was made with."""
        return self._painter.settings

    @property
    def intrinsics(self) -> NDArray[np.float64]:
        """Camera matrix (3, 3) [pixels]."""
        return intrinsics(self._painter.settings)

    @property
    def pose_in_tray(self) -> NDArray[np.float64]:
        """Pose (4, 4) of the optical frame: in `tray`, or for mount "world" in `tray_level`."""
        return pose(self._painter.settings)

    def render(self) -> RenderedFrame:
        """Draw the world as it is at its next sound frame."""
        snapshot = self._world.snapshot()
        if snapshot.placement != self._placement:
            self._painter.load(self._world.tray_model)
            self._placement = snapshot.placement
        return self._painter.paint(snapshot)

    def close(self) -> None:
        """Give the graphics context back."""
        self._painter.close()


class Painter:
    """Draws snapshots of one model at a time."""

    def __init__(self, settings: PictureSettings, *, seed: int) -> None:
        """Prepare the noise; the graphics context comes with the first model."""
        self.settings = settings
        self._renderer: Any = None
        self._data: Any = None
        self._option = mujoco.MjvOption()
        self._option.geomgroup[4] = 0
        self._camera = mujoco.MjvCamera()
        rng = generator(seed, _NOISE_STREAM, 0)
        shape = (settings.height + _TILE, settings.width + _TILE)
        color = rng.standard_normal((*shape, 3), dtype=np.float32) * settings.color_noise
        self._color_noise = np.rint(color).astype(np.int16)
        self._depth_noise = rng.standard_normal(shape, dtype=np.float32) * settings.depth_noise
        self._seed = seed

    def load(self, tray: TrayModel) -> None:
        """Change the model that is drawn.

        Raises:
            MissingDependencyError: there is no EGL to render with.
        """
        self.load_model(tray.model)

    def load_model(self, model: mujoco.MjModel) -> None:
        """Change the model that is drawn; see `load`."""
        self.close()
        self._data = mujoco.MjData(model)
        self._model = model
        visual = self._model.vis
        visual.global_.offwidth, visual.global_.offheight = (
            self.settings.width,
            self.settings.height,
        )
        visual.quality.offsamples = self.settings.antialiasing
        visual.quality.shadowsize = self.settings.shadow_pixels
        try:
            self._renderer = mujoco.Renderer(model, self.settings.height, self.settings.width)
        except Exception as error:  # PyOpenGL raises many kinds
            raise _no_egl(error) from error
        name = "tray_camera" if self.settings.mount == "tray" else "world_camera"
        self._id = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_CAMERA, name)
        model.cam_fovy[self._id] = self.settings.fov_deg
        model.cam_pos[self._id] = [0.0, 0.0, self.settings.distance_m]
        self._renderer.scene.flags[mujoco.mjtRndFlag.mjRND_SHADOW] = self.settings.shadows

    def paint(self, snapshot: Snapshot) -> RenderedFrame:
        """Draw one instant."""
        renderer, data = self._renderer, self._data
        data.qpos[:] = snapshot.qpos
        mujoco.mj_kinematics(self._model, data)
        mujoco.mj_comPos(self._model, data)
        mujoco.mj_camlight(self._model, data)
        renderer.update_scene(data, camera=self._id, scene_option=self._option)
        color = renderer.render()
        renderer.enable_depth_rendering()
        metres = renderer.render()
        renderer.disable_depth_rendering()
        # A prepared tile of noise, shifted by the instant: cheap, and the same for the same seed.
        shift = generator(self._seed, _NOISE_STREAM, 1 + snapshot.frame).integers(0, _TILE, 2)
        window = (
            slice(int(shift[0]), int(shift[0]) + self.settings.height),
            slice(int(shift[1]), int(shift[1]) + self.settings.width),
        )
        noisy = metres + self._depth_noise[window] * metres * metres
        known = metres < self.settings.farthest_m
        return RenderedFrame(
            frame=snapshot.frame,
            color=np.clip(color + self._color_noise[window], 0, 255).astype(np.uint8),
            depth=np.where(known, np.rint(noisy * 1000.0), 0).astype(np.uint16),
        )

    def segment(self, snapshot: Snapshot) -> NDArray[np.bool_]:
        """Return which pixels (height, width) show the object."""
        renderer, data = self._renderer, self._data
        data.qpos[:] = snapshot.qpos
        mujoco.mj_kinematics(self._model, data)
        mujoco.mj_comPos(self._model, data)
        mujoco.mj_camlight(self._model, data)
        renderer.enable_segmentation_rendering()
        renderer.update_scene(data, camera=self._id, scene_option=self._option)
        ids = renderer.render()
        renderer.disable_segmentation_rendering()
        body = mujoco.mj_name2id(self._model, mujoco.mjtObj.mjOBJ_BODY, "object")
        geoms = np.flatnonzero(self._model.geom_bodyid == body) if body >= 0 else np.zeros(0)
        kind = int(mujoco.mjtObj.mjOBJ_GEOM)
        return np.asarray(np.isin(ids[:, :, 0], geoms) & (ids[:, :, 1] == kind))

    def close(self) -> None:
        """Give the graphics context back."""
        if self._renderer is not None:
            self._renderer.close()
            self._renderer = None


def _no_egl(error: Exception) -> MissingDependencyError:
    backend = os.environ.get("MUJOCO_GL", "")
    return MissingDependencyError(
        f"expected to render with MUJOCO_GL={backend}; it failed: {error}. "
        "Install Mesa's software renderer: apt-get install libegl1 libopengl0 libgl1-mesa-dri"
    )
