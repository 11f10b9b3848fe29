"""What the verbs that lead an arm have in common, without ROS."""

from tiltbot_ros.rigs import Rig
from tiltbot_ros.teleop.settings import SourceName


def with_source(rig: Rig, source: SourceName | None) -> Rig:
    """Return a rig with another pose source; None leaves it its own."""
    if source is None:
        return rig
    return rig.model_copy(update={"teleop": rig.teleop.model_copy(update={"source": source})})
