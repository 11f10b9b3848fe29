"""The robot's side of ROS 1: parameters, topics and services that Rethink's SDK waits for.

Runs under the Python of ROS 1 with the messages of intera_common, and passes
everything on to the emulated robot (bus.py): `/usr/bin/python3 ros1_robot.py SOCKET`.
"""

import json
import socket
import sys

import rospy
from geometry_msgs.msg import Point, Quaternion
from intera_core_msgs.msg import (
    CollisionDetectionState,
    EndpointState,
    EndpointStates,
    JointCommand,
    RobotAssemblyState,
)
from intera_core_msgs.srv import (
    SolvePositionFK,
    SolvePositionFKResponse,
    SolvePositionIK,
    SolvePositionIKResponse,
)
from sensor_msgs.msg import JointState
from std_msgs.msg import Bool, Empty, Float64

LIMB = "/robot/limb/right/"
KINEMATICS = "/ExternalTools/right/PositionKinematicsNode/"


def parameters():
    """Set what RobotParams reads."""
    joints = [f"right_j{number}" for number in range(7)]
    rospy.set_param("/robot_config/assembly_names", ["right", "torso", "head"])
    rospy.set_param("/robot_config/right_config/joint_names", joints)
    rospy.set_param("/manifest/robot_class", "sawyer")
    rospy.set_param("/manifest/robot_software/version/HLR_VERSION_STRING", "5.3.0.0")


class Robot:
    def __init__(self, path):
        self.connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.connection.connect(path)
        kinds = {
            "/robot/joint_states": JointState,
            "/robot/state": RobotAssemblyState,
            LIMB + "endpoint_state": EndpointState,
            LIMB + "tip_states": EndpointStates,
            LIMB + "collision_detection_state": CollisionDetectionState,
        }
        self.publishers = {
            name: rospy.Publisher(name, kind, queue_size=1, tcp_nodelay=True)
            for name, kind in kinds.items()
        }
        self.send("hello", None)
        listen = {
            LIMB + "joint_command": (JointCommand, self.on_command),
            LIMB + "set_speed_ratio": (Float64, self.forward("set_speed_ratio")),
            LIMB + "joint_command_timeout": (Float64, self.forward("joint_command_timeout")),
            "/robot/set_super_enable": (Bool, self.forward("set_super_enable")),
            "/robot/set_super_reset": (Empty, lambda _: self.send("set_super_reset", None)),
        }
        for name, (kind, callback) in listen.items():
            rospy.Subscriber(name, kind, callback, queue_size=10, tcp_nodelay=True)
        # The SDK waits for these; nothing here asks them.
        rospy.Service(
            KINEMATICS + "IKService", SolvePositionIK, lambda _: SolvePositionIKResponse()
        )
        rospy.Service(
            KINEMATICS + "FKService", SolvePositionFK, lambda _: SolvePositionFKResponse()
        )

    def send(self, topic, data):
        self.connection.send(json.dumps({"topic": topic, "data": data}).encode())

    def forward(self, topic):
        return lambda message: self.send(topic, message.data)

    def on_command(self, message):
        command = {
            "names": list(message.names),
            "positions": list(message.position),
            "mode": message.mode,
        }
        self.send("joint_command", command)

    def run(self):
        while not rospy.is_shutdown():
            data = self.connection.recv(65536)
            if not data:
                return
            self.publish(json.loads(data))

    def publish(self, packet):
        status = packet["status"]
        joints = JointState(
            name=packet["name"],
            position=packet["position"],
            velocity=packet["velocity"],
            effort=packet["effort"],
        )
        joints.header.stamp = rospy.Time.from_sec(0) + rospy.Duration(nsecs=packet["stamp"])
        endpoint = EndpointState(valid=True)
        endpoint.pose.position = Point(*status["position"])
        endpoint.pose.orientation = Quaternion(*status["orientation"])
        names = RobotAssemblyState.__slots__
        messages = {
            "/robot/joint_states": joints,
            "/robot/state": RobotAssemblyState(**{name: status[name] for name in names}),
            LIMB + "endpoint_state": endpoint,
            LIMB + "tip_states": EndpointStates(names=["right_hand"], states=[endpoint]),
            LIMB + "collision_detection_state": CollisionDetectionState(
                collision_state=status["collision"]
            ),
        }
        for name, message in messages.items():
            self.publishers[name].publish(message)


if __name__ == "__main__":
    rospy.init_node("robot", disable_signals=True)
    parameters()
    Robot(sys.argv[1]).run()
