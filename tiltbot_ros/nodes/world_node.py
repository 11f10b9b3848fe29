"""The simulated rig: one world stands in for the arm, the microphones and the camera."""

import gc
import sys
import threading
import time

import numpy as np
from rclpy.node import Node

from tiltbot.srv import SetObject
from tiltbot_ros.arms.drivers import ArmSettings
from tiltbot_ros.arms.preview_tray import PreviewTray
from tiltbot_ros.arms.simulated import SimulatedTray
from tiltbot_ros.arms.tilts import TiltSettings
from tiltbot_ros.arms.tray import FollowSettings
from tiltbot_ros.errors import ConfigError, TiltbotError
from tiltbot_ros.nodes.audio_publisher import AudioPublisher
from tiltbot_ros.nodes.camera_publisher import CameraPublisher
from tiltbot_ros.nodes.diagnosing import Diagnostics, Health
from tiltbot_ros.nodes.parameters import declare, declare_dry_run, refuse_unknown
from tiltbot_ros.nodes.running import Fault, run
from tiltbot_ros.nodes.tray_server import TrayServer
from tiltbot_ros.nodes.wiring import clock_ns
from tiltbot_ros.nodes.world_loop import WorldLoop
from tiltbot_ros.sensors.cameras import CameraIntrinsics, CameraSettings
from tiltbot_ros.sensors.microphones import MicrophoneSettings
from tiltbot_ros.worlds.camera import PictureSettings, ViewSettings
from tiltbot_ros.worlds.camera_process import CameraProcess
from tiltbot_ros.worlds.objects import ObjectCatalogue
from tiltbot_ros.worlds.pacing import Pacer
from tiltbot_ros.worlds.sound import SoundSettings
from tiltbot_ros.worlds.tray import TrayWorld
from tiltbot_ros.worlds.tray_model import TraySettings

NS_PER_S = 1_000_000_000
SEED = 0


class WorldNode(Node):
    """Lets one world go on in real time and publishes what its devices would."""

    def __init__(self, fault: Fault) -> None:
        super().__init__("world")
        self._arm = declare(self, ArmSettings, "arm")
        tilt = declare(self, TiltSettings, "tilt")
        follow = declare(self, FollowSettings, "follow")
        self._microphones = declare(self, MicrophoneSettings, "microphones")
        self._camera = declare(self, CameraSettings, "camera")
        settings = declare(self, TraySettings, "world")
        sound = declare(self, SoundSettings, "sound")
        view = declare(self, ViewSettings, "view")
        dry_run = declare_dry_run(self)
        refuse_unknown(self)
        self._check()
        picture = PictureSettings(
            width=self._camera.width, height=self._camera.height, **view.model_dump()
        )
        self._fault = fault
        self._catalogue = ObjectCatalogue.load()
        self._world = TrayWorld(settings, seed=SEED, sound=sound, catalogue=self._catalogue)
        self._driver = SimulatedTray(self._world)
        self._tray = TrayServer(
            self,
            PreviewTray(self._driver) if dry_run else self._driver,
            tilt=tilt,
            follow=follow,
            rate_hz=self._arm.rate_hz,
            frame=self._arm.frame_id,
        )
        self._sound = AudioPublisher(
            self, audio_format=self._microphones.audio_format, frame=self._microphones.frame_id
        )
        self._images = CameraPublisher(self, settings=self._camera)
        self.create_service(SetObject, "~/set_object", self._set_object)
        self._eye = CameraProcess(
            self._world,
            picture,
            jpeg_quality=self._camera.jpeg_quality,
            png_level=self._camera.png_level,
        )
        self._images.publish_pose(
            self._eye.pose_in_tray,
            parent="tray" if view.mount == "tray" else self._arm.frame_id,
            stamp_ns=clock_ns(self),
        )
        self._loop = WorldLoop(
            self._world,
            driver=self._driver,
            tray=self._tray,
            sound=self._sound,
            images=self._images,
            eye=self._eye,
            intrinsics=CameraIntrinsics(
                width=picture.width,
                height=picture.height,
                k=self._eye.intrinsics,
                distortion=np.zeros(5),
            ),
            microphones=self._microphones,
            camera=self._camera,
            now=lambda: clock_ns(self),
        )
        self._diagnostics = Diagnostics(self, hardware="MuJoCo", health=self._health)
        self._thread = threading.Thread(target=self._live, name="world", daemon=True)
        self._thread.start()

    def _check(self) -> None:
        microphones = self._microphones
        if (microphones.channels, microphones.bits) != (4, 16):
            raise ConfigError(
                f"expected microphones.channels 4 and bits 16 in the simulated world, got "
                f"{microphones.channels} and {microphones.bits}"
            )

    # What the services ask for

    def _set_object(
        self, request: SetObject.Request, response: SetObject.Response
    ) -> SetObject.Response:
        try:
            spec = self._catalogue.get(request.name) if request.name else None
        except ConfigError as error:
            response.message = str(error)
            return response
        self._loop.place(spec)
        response.success = True
        response.message = f"{request.name} is in the tray" if spec else "the tray is empty"
        return response

    # The world's own thread

    def _live(self) -> None:
        # What lives for good need not be looked at by each collection of garbage,
        # and the executor's thread may hold the interpreter for half a
        # millisecond at most: both would make sound late.
        gc.collect()
        gc.freeze()
        sys.setswitchinterval(5e-4)
        pacer = Pacer(
            period_ns=(
                self._microphones.block_frames * NS_PER_S,
                self._microphones.sample_rate_hz,
            ),
            monotonic=time.monotonic_ns,
            sleep=time.sleep,
        )
        try:
            self._loop.run(pacer.wait)
        except TiltbotError as error:
            self._fault.set(error)

    def _health(self) -> Health:
        holes = self._loop.holes
        values: dict[str, float | int | str] = {
            "object": self._world.object.name if self._world.object else "none",
            "blocks": self._loop.blocks,
            "holes": holes,
            "images left out": self._loop.images_left_out,
        }
        if holes:
            return Health(
                level="warn", message="too slow for real time: sound was lost", values=values
            )
        return Health(level="ok", message="running", values=values)

    def close(self) -> None:
        """Stop the world before the publishers go."""
        self._loop.stop()
        self._thread.join(timeout=5.0)
        self._eye.close()
        self._tray.close()


def main() -> int:
    """Run the node."""
    return run(WorldNode)
