"""The groups of a rig's settings that the driver of its arm reads, as ROS parameters."""

from collections.abc import Mapping

from rclpy.node import Node

from tiltbot_ros.arms.drivers import arm_kind
from tiltbot_ros.nodes.parameters import declare
from tiltbot_ros.rigs import Rig, group_model
from tiltbot_ros.settings import Settings


def with_driver(node: Node, groups: Mapping[str, Settings]) -> Rig:
    """Declare what the arm's driver reads besides; return the rig, other groups at their defaults.

    Args:
        node: that drives the arm.
        groups: what it has declared itself, by name; `arm` among them.

    Raises:
        ConfigError: the rig has no arm, or a value does not fit.
    """
    rig = Rig.model_validate(dict(groups))
    of_driver = [group for group in arm_kind(rig).groups if group not in groups]
    declared = {group: declare(node, group_model(group), group) for group in of_driver}
    return Rig.model_validate({**groups, **declared})
