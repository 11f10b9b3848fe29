"""The emulated Gen3 as a ROS 2 node of its own, to be started and killed by tests.

Orders come as JSON lines on its standard input: {"do": "jam", "joints": [3]}, "unjam",
"silent", "speak", "tell". It answers "tell" with one JSON line of what it has got.
"""

import argparse
import json
import os
import sys
import threading
import time
from collections import deque

import numpy as np
import rclpy
from geometry_msgs.msg import Twist
from rclpy.qos import QoSProfile
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64MultiArray, Header
from trajectory_msgs.msg import JointTrajectory

from tests.emulators.kortex.robot import KortexRobot, Message
from tiltbot_ros.nodes.running import make_executor
from tiltbot_ros.nodes.wiring import stamp


class KortexNode:
    def __init__(self, controller, rate_hz):
        self.robot = KortexRobot(controller)
        self.node = rclpy.create_node("controller_manager")
        self.begun_s, self.begun_ns = time.monotonic(), time.time_ns()
        qos = QoSProfile(depth=10)
        self.states = self.node.create_publisher(JointState, "joint_states", qos)
        self.echo = self.node.create_publisher(JointState, "stand_in/taken", qos)
        self.node.create_subscription(
            JointTrajectory, "joint_trajectory_controller/joint_trajectory", self.trajectory, qos
        )
        self.node.create_subscription(Twist, "twist_controller/commands", self.twist, qos)
        self.node.create_subscription(
            Float64MultiArray, "gripper_position_controller/commands", self.gripper, qos
        )
        self.arrivals, self.twists = [], []
        self.silent = False
        self.waiting = deque()
        threading.Thread(target=self.read, daemon=True).start()
        self.node.create_timer(1.0 / rate_hz, self.tick)
        self.node.create_timer(0.01, self.orders)

    def elapsed_s(self):
        return time.monotonic() - self.begun_s

    def tick(self):
        self.robot.step(self.elapsed_s())
        if self.silent:
            return
        names, positions, velocities = self.robot.joint_states()
        now_ns = self.begun_ns + round(self.robot.now_s * 1e9)
        self.states.publish(
            JointState(
                header=Header(stamp=stamp(now_ns)),
                name=names,
                position=[float(value) for value in positions],
                velocity=[float(value) for value in velocities],
                effort=[0.0] * len(names),
            )
        )

    def trajectory(self, message):
        self.arrivals.append(time.monotonic())
        self.robot.step(self.elapsed_s())
        begins_ns = message.header.stamp.sec * 1_000_000_000 + message.header.stamp.nanosec
        points = message.points
        taken = self.robot.trajectory.offer(
            Message(
                names=list(message.joint_names),
                stamp_s=(begins_ns - self.begun_ns) * 1e-9 if begins_ns else 0.0,
                times=[p.time_from_start.sec + 1e-9 * p.time_from_start.nanosec for p in points],
                positions=[list(p.positions) for p in points],
                velocities=[list(p.velocities) for p in points],
            ),
            self.robot.now_s,
        )
        if taken:
            # What no controller does: tells that it came, for measuring the way.
            self.echo.publish(JointState(header=message.header))

    def twist(self, message):
        self.robot.step(self.elapsed_s())
        a, b = message.linear, message.angular
        twist = [a.x, a.y, a.z, b.x, b.y, b.z]
        self.twists.append((time.monotonic(), twist))
        self.robot.twist = np.array(twist)

    def gripper(self, message):
        self.robot.gripper_told = message.data[0]

    def read(self):
        for line in sys.stdin:
            self.waiting.append(json.loads(line))
        os._exit(0)  # whoever started it is gone

    def orders(self):
        while self.waiting:
            self.obey(**self.waiting.popleft())

    def obey(self, do, joints=()):
        if do in {"jam", "unjam"}:
            for joint in joints:
                self.robot.jammed[joint] = do == "jam"
        elif do in {"silent", "speak"}:
            self.silent = do == "silent"
        elif do == "tell":
            robot = self.robot
            answer = {
                "arrivals": self.arrivals,
                "refused": robot.trajectory.refused,
                "taken": robot.trajectory.taken,
                "fault": robot.fault,
                "q": robot.q.tolist(),
                "dq": robot.dq.tolist(),
                "twists": self.twists[-200:],
                "gripper": robot.gripper,
                "path": [[t, told.tolist(), q.tolist()] for t, told, q in robot.history[-6000::4]],
            }
            sys.stdout.write(json.dumps(answer) + "\n")
            sys.stdout.flush()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--controller", default="trajectory")
    parser.add_argument("--rate", type=float, default=200.0)
    chosen = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    rclpy.init()
    node = KortexNode(chosen.controller, chosen.rate)
    executor = make_executor()
    executor.add_node(node.node)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while True:
        executor.spin_once(timeout_sec=0.2)


if __name__ == "__main__":
    main()
