"""A Sawyer without a body: what its computer does with the SDK's messages.

Plain Python 3.8: the emulated SDK and the ROS 1 node of `./run test-sawyer` share it.
Behaviour as in RethinkRobotics/intera_sdk (limb.py, robot_enable.py), where
RobotAssemblyState and JointCommand of intera_common are explained.
"""

import math
import threading
import time

JOINTS = [f"right_j{number}" for number in range(7)]
LOWER = [-3.0503, -3.8095, -3.0426, -3.0439, -2.9761, -2.9761, -4.7124]
UPPER = [3.0503, 2.2736, 3.0426, 3.0439, 2.9761, 2.9761, 4.7124]
SPEED = [1.74, 1.328, 1.957, 1.957, 3.485, 3.485, 4.545]
NEUTRAL = [0.0, -1.18, 0.0, 2.18, 0.0, 0.57, 3.3161]
POSITION_MODE = 1


class SawyerRobot:
    """Joints that follow position commands, with the e-stop, faults and timeouts of the robot."""

    def __init__(self, positions=None):
        self.lock = threading.RLock()
        self.positions = list(positions or NEUTRAL)
        self.velocities = [0.0] * 7
        self.target = list(self.positions)
        self.speed_ratio = 0.3
        self.command_timeout_s = 0.2
        self.commanded_s = None
        self.enabled = True
        self.stopped = False
        self.error = False
        self.homed = True
        self.collision = False
        self.estop_button = 0
        self.estop_source = 0
        self.stuck = None
        self.commands = []  # (monotonic [s], positions)
        self.timeouts = 0

    def command(self, names, positions, mode):
        """Take a JointCommand."""
        with self.lock:
            now = time.monotonic()
            self.commands.append((now, [positions[names.index(joint)] for joint in JOINTS]))
            if mode != POSITION_MODE or not self.enabled or self.stopped:
                return
            for name, position in zip(names, positions):  # noqa: B905 - Python 3.8
                index = JOINTS.index(name)
                self.target[index] = min(max(position, LOWER[index]), UPPER[index])
            self.commanded_s = now

    def press(self):
        """Push the red button."""
        with self.lock:
            self.stopped, self.enabled = True, False
            self.estop_button, self.estop_source = 1, 1
            self._hold()

    def release(self):
        """Turn the button: it stays stopped until a reset."""
        with self.lock:
            if self.estop_button == 1:
                self.estop_button = 3

    def joint_fault(self):
        """Stop as the motor controller does after a fault of a joint."""
        with self.lock:
            self.stopped, self.enabled, self.error = True, False, True
            self.estop_button, self.estop_source = 2, 3
            self._hold()

    def set_enabled(self, wanted):
        """Take robot/set_super_enable."""
        with self.lock:
            if not self.stopped:
                self.enabled = bool(wanted)
                self._hold()

    def reset(self):
        """Take robot/set_super_reset."""
        with self.lock:
            if self.estop_button != 1:
                self.stopped = self.error = False
                self.collision = False
                self.estop_button = self.estop_source = 0

    def step(self, dt_s):
        """Let the joints move for a time."""
        with self.lock:
            now = time.monotonic()
            late = self.commanded_s is not None and now - self.commanded_s > self.command_timeout_s
            if late:
                self.timeouts += 1
                self._hold()
            if not self.enabled:
                self.velocities = [0.0] * 7
                return
            for index in range(7):
                reach = SPEED[index] * self.speed_ratio * dt_s
                way = min(max(self.target[index] - self.positions[index], -reach), reach)
                if index == self.stuck:
                    way = 0.0
                self.positions[index] += way
                self.velocities[index] = way / dt_s

    def _hold(self):
        self.target = list(self.positions)
        self.commanded_s = None

    def status(self):
        """Return the fields of RobotAssemblyState, and what the limb tells."""
        with self.lock:
            half = 0.5 * self.positions[6]
            return {
                "homed": self.homed,
                "ready": self.enabled and self.homed,
                "enabled": self.enabled,
                "stopped": self.stopped,
                "error": self.error,
                "lowVoltage": False,
                "estop_button": self.estop_button,
                "estop_source": self.estop_source,
                "collision": self.collision,
                "position": [0.45, 0.16, 0.2],
                "orientation": [math.sin(half), math.cos(half), 0.0, 0.0],
            }
