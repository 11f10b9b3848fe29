"""Says where an object will be, from where it is, how it sounds and the action: `forward_model`."""

from functools import partial

import numpy as np
from geometry_msgs.msg import Point

from policy_ros.nodes.goal_inputs import sample_of
from policy_ros.nodes.model_server import ModelServerNode
from policy_ros.serving.served import ServedModel, Tell
from tiltbot.action import ForwardModel
from tiltbot_ros.nodes.running import run


def answer(model: ServedModel, request: ForwardModel.Goal, tell: Tell) -> ForwardModel.Result:
    """Return the result of a goal.

    Raises:
        TiltbotError: it cannot be answered; the message says why.
    """
    sample = sample_of(model, request, tell) if model.hears else None
    location = np.array([request.location.x, request.location.y])
    x, y = model.forward(sample, location, np.array([request.ax, request.ay]), tell).tolist()
    return ForwardModel.Result(location=Point(x=x, y=y, z=request.location.z))


def main() -> int:
    """Run the node."""
    return run(partial(ModelServerNode, role="forward", action_type=ForwardModel, answer=answer))
