"""An arm without physics for the graph, and a commander in the test's process."""

import numpy as np

from tiltbot.msg import ArmDelta
from tiltbot.srv import CommandArm
from tiltbot_ros import topics
from tiltbot_ros.bringup import arm
from tiltbot_ros.nodes.wiring import publisher
from tiltbot_ros.rigs import Rig

STEPS_HZ = 10.0
DEADMAN_S = 1.0

# Slow enough for a computer that has other things to do.
RIG = Rig.model_validate(
    {
        "name": "plain",
        "arm": {"driver": "kinematic", "rate_hz": 50.0},
        "guard": {
            "deadman_s": DEADMAN_S,
            "lease_s": 3.0,
            "max_age_s": 2.0,
            "speed_ratio": 1.0,
            "acceleration_ratio": 1.0,
        },
        "deltas": {"rate_hz": STEPS_HZ},
        "camera": None,
    }
)


def arm_spec(**changes):
    return arm(RIG, **changes)


class Commander:
    """Sends steps of the tool from the test's process."""

    def __init__(self, observer, name="tester"):
        self.observer, self.name = observer, name
        self._deltas = publisher(observer.node, topics.ARM_DELTA)
        self._take = observer.node.create_client(CommandArm, "arm/take")
        self._sequence = 0

    def take(self, graph=None, name=None):
        self.observer.until(self._take.service_is_ready, 30.0, graph)
        request = CommandArm.Request(commander=name or self.name)
        return self.observer.result(self._take.call_async(request))

    def step(self, delta):
        self._sequence += 1
        message = ArmDelta(commander=self.name, sequence=self._sequence, gripper=float("nan"))
        message.header.stamp = self.observer.node.get_clock().now().to_msg()
        message.delta = np.array(delta, np.float64)
        self._deltas.publish(message)

    def steps(self, delta, count):
        for _ in range(count):
            self.step(delta)
            self.observer.spin(1.0 / STEPS_HZ)
