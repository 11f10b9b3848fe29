"""Says from the picture before and the sound which action was applied: `inverse_model`."""

from functools import partial

from geometry_msgs.msg import Vector3

from policy_ros.nodes.goal_inputs import picture_of, sample_of
from policy_ros.nodes.model_server import ModelServerNode
from policy_ros.serving.served import ServedModel, Tell
from tiltbot.action import InverseModel
from tiltbot_ros.nodes.running import run


def answer(model: ServedModel, request: InverseModel.Goal, tell: Tell) -> InverseModel.Result:
    """Return the result of a goal.

    Raises:
        TiltbotError: it cannot be answered; the message says why.
    """
    inline = not request.episode_uri and model.sees
    before = picture_of(request.before) if inline else None
    said = model.inverse(sample_of(model, request, tell, before=before), tell)
    ax, ay = said.action.tolist()
    x, y = said.rotation.tolist()
    return InverseModel.Result(ax=ax, ay=ay, rotation=Vector3(x=x, y=y, z=0.0))


def main() -> int:
    """Run the node."""
    return run(partial(ModelServerNode, role="inverse", action_type=InverseModel, answer=answer))
