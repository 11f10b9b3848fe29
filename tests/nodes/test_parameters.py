"""Groups of settings as ROS parameters."""

import pytest
import rclpy
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.signals import SignalHandlerOptions

from tiltbot_ros.arms.franka.settings import FrankaSettings
from tiltbot_ros.errors import ConfigError
from tiltbot_ros.nodes.parameters import declare, refuse_unknown
from tiltbot_ros.rigs import Rig, group_model
from tiltbot_ros.settings import Settings
from tiltbot_ros.teleop.settings import TeleopSettings

GROUPS = [name for name, field in Rig.model_fields.items() if isinstance(field.default, Settings)]


@pytest.fixture
def node(ros_environment):
    """Return a function that makes a node, given parameters from outside."""
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    made = []

    def make(**given):
        overrides = [Parameter(name.replace("__", "."), value=given[name]) for name in given]
        made.append(Node("declared", parameter_overrides=overrides))
        return made[-1]

    yield make
    for one in made:
        one.destroy_node()
    rclpy.shutdown()


def test_every_group_of_a_rig_can_be_declared_and_has_its_defaults(node):
    declaring = node()
    assert "franka" in GROUPS
    for name in GROUPS:
        model = group_model(name)
        assert declare(declaring, model, name) == model()
    refuse_unknown(declaring)


@pytest.mark.parametrize(
    ("model", "group", "setting", "value"),
    [
        (TeleopSettings, "teleop", "speed_m_s", [0.1, 0.2]),
        (TeleopSettings, "teleop", "speed_m_s", [0.1, 0.2, 9.0]),
        (FrankaSettings, "franka", "load_centre_m", [0.0, 0.0, 2.0]),
        (TeleopSettings, "teleop", "scale", 11.0),
        (TeleopSettings, "teleop", "scale", "much"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(node, model, group, setting, value):
    declaring = node(**{f"{group}__{setting}": value})
    with pytest.raises(ConfigError, match=setting):
        declare(declaring, model, group)


def test_a_parameter_that_nobody_declared_is_refused(node):
    declaring = node(teleop__speed=0.1)
    declare(declaring, TeleopSettings, "teleop")
    with pytest.raises(ConfigError, match=r"unknown parameter teleop\.speed of node 'declared'"):
        refuse_unknown(declaring)
