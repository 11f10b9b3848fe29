"""Opens the controller of a Franka arm, and tells its refusals in a person's words."""

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from tiltbot_ros.arms.franka.faults import one_line
from tiltbot_ros.arms.franka.library import Line, load_franky
from tiltbot_ros.arms.franka.settings import FrankaSettings
from tiltbot_ros.errors import DeviceError

FCI_VERSION = 10
"""Version of the Franka Control Interface that libfranka 0.21 of franky 2 speaks."""

T = TypeVar("T")


class Controller:
    """One connection: franky's objects, and the thread that may wait for them."""

    def __init__(self, settings: FrankaSettings) -> None:
        """Load franky. `lost` becomes true when a request shows that nobody answers any more.

        Raises:
            MissingDependencyError: it is not installed.
        """
        self.franky = load_franky()
        self.lost = False
        self._settings = settings
        self._line = Line()

    def open_robot(self) -> Any:
        """Return a franky.Robot with collision behaviour and load as the rig says.

        Raises:
            DeviceError: nobody answers, or the robot refuses.
        """
        return self.ask("connect", self._open)

    def open_hand(self) -> Any:
        """Return a franky.Gripper.

        Raises:
            DeviceError: there is no hand.
        """
        host = self._settings.host
        return self.ask("connect the hand", lambda: self.franky.Gripper(host))

    def ask(self, what: str, function: Callable[[], T], *, timeout_s: float | None = None) -> T:
        """Carry out a request that may fail or never end.

        Args:
            what: is asked for, as a verb.
            function: calls franky.
            timeout_s: longest wait; None: `connect_s` [s].

        Raises:
            DeviceError: it fails, or takes too long.
        """
        franky, patience_s = self.franky, timeout_s or self._settings.connect_s
        try:
            return self._line.call(function, timeout_s=patience_s)
        except TimeoutError as error:
            self.lost = True
            raise DeviceError(
                f"the Franka controller does not answer within {patience_s:g} s ({what}): look at "
                f"its network and its status lights, then connect again"
            ) from error
        except franky.IncompatibleVersionException as error:
            raise DeviceError(
                f"expected a controller with FCI version {FCI_VERSION}, but {one_line(error)}: "
                f"update the robot's system image, or install the franky-control that fits it"
            ) from error
        except franky.RealtimeException as error:
            raise DeviceError(
                f"expected a real-time kernel, but {one_line(error)}: install one "
                f"(docs/franka.md), or set franka.realtime to 'ignore'"
            ) from error
        except franky.NetworkException as error:
            self.lost = True
            raise DeviceError(
                f"no Franka controller at {self._settings.host} ({what}: {one_line(error)}): look "
                f"at franka.host, the cable, and whether FCI is active in Desk"
            ) from error
        except (
            franky.CommandException,
            franky.ControlException,
            franky.ModelException,
            franky.ProtocolException,
        ) as error:
            raise DeviceError(f"the robot refused to {what}: {one_line(error)}") from error

    def close(self) -> None:
        """End the thread; what hangs is left behind on it."""
        self._line.end()

    def _open(self) -> Any:
        settings, franky = self._settings, self.franky
        config = franky.RealtimeConfig
        robot = franky.Robot(
            settings.host,
            # These last until ours are set.
            default_torque_threshold=min(settings.collision_torques_nm),
            default_force_threshold=min(settings.collision_forces_n),
            realtime_config=config.Enforce if settings.realtime == "enforce" else config.Ignore,
        )
        robot.set_collision_behavior(
            settings.contact_torques_nm,
            settings.collision_torques_nm,
            settings.contact_forces_n,
            settings.collision_forces_n,
        )
        if settings.load_kg > 0.0:
            inertia = np.diag(settings.load_inertia_kg_m2).ravel().tolist()
            robot.set_load(settings.load_kg, settings.load_centre_m, inertia)
        return robot
