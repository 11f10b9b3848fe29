"""Publishers and subscriptions made from the table of topics."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from rclpy.event_handler import PublisherEventCallbacks, SubscriptionEventCallbacks
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions
from rclpy.subscription import Subscription
from rclpy.time import Time

from tiltbot_ros.errors import ConfigError
from tiltbot_ros.topics import Topic


def message_class(name: str) -> type[Any]:
    """Return the Python class of a ROS message type, "package/msg/Name".

    Raises:
        ConfigError: the name is malformed or its package is not installed.
    """
    try:
        package, kind, message = name.split("/")
        found: type[Any] = getattr(import_module(f"{package}.{kind}"), message)
    except (ValueError, ImportError, AttributeError) as error:
        raise ConfigError(
            f"expected an installed message type such as 'std_msgs/msg/String', got '{name}'"
        ) from error
    return found


def quality(topic: Topic) -> QoSProfile:
    """Return the quality of service of a topic.

    Everything is reliable: best effort loses most large images even on one
    host. Latched topics are transient local.
    """
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=topic.depth,
        reliability=ReliabilityPolicy.RELIABLE,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if topic.latched else DurabilityPolicy.VOLATILE,
    )


def publisher(node: Node, topic: Topic) -> Publisher:
    """Create the publisher of a topic; its quality can be overridden by parameters."""
    return node.create_publisher(
        message_class(topic.type),
        topic.name,
        quality(topic),
        qos_overriding_options=QoSOverridingOptions.with_default_policies(),
        event_callbacks=PublisherEventCallbacks(use_default_callbacks=False),
    )


def subscription(
    node: Node,
    topic: Topic,
    callback: Callable[[Any], None],
    *,
    raw: bool = False,
    lost: Callable[[int], None] | None = None,
    callback_group: Any = None,
) -> Subscription:
    """Subscribe to a topic.

    Args:
        node: who subscribes.
        topic: an entry of the table.
        callback: gets the message, or its CDR bytes when `raw`.
        raw: deliver bytes without deserialising.
        lost: gets the number of messages that the transport lost since the last call.
        callback_group: as of rclpy.
    """
    events = SubscriptionEventCallbacks(
        message_lost=(lambda info: lost(info.total_count_change)) if lost else None,
        use_default_callbacks=False,
    )
    return node.create_subscription(
        message_class(topic.type),
        topic.name,
        callback,
        quality(topic),
        raw=raw,
        callback_group=callback_group,
        qos_overriding_options=QoSOverridingOptions.with_default_policies(),
        event_callbacks=events,
    )


def clock_ns(node: Node) -> int:
    """Return the time of a node's clock [ns]."""
    return int(node.get_clock().now().nanoseconds)


def stamp(time_ns: int) -> Any:
    """Return `time_ns` [ns] as builtin_interfaces/Time."""
    return Time(nanoseconds=time_ns).to_msg()


def nanoseconds(time: Any) -> int:
    """Return a builtin_interfaces/Time in ns."""
    return int(time.sec) * 1_000_000_000 + int(time.nanosec)
