"""Says from its sound which object was in the tray: `classify_object`."""

from functools import partial

from policy_ros.nodes.goal_inputs import sample_of
from policy_ros.nodes.model_server import ModelServerNode
from policy_ros.serving.served import ServedModel, Tell
from tiltbot.action import ClassifyObject
from tiltbot_ros.nodes.running import run


def answer(model: ServedModel, request: ClassifyObject.Goal, tell: Tell) -> ClassifyObject.Result:
    """Return the result of a goal.

    Raises:
        TiltbotError: it cannot be answered; the message says why.
    """
    said = model.classify(sample_of(model, request, tell), tell)
    return ClassifyObject.Result(names=list(said.names), probabilities=said.probabilities.tolist())


def main() -> int:
    """Run the node."""
    return run(partial(ModelServerNode, role="classify", action_type=ClassifyObject, answer=answer))
