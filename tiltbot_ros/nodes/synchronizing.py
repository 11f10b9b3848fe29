"""ROS 2's `message_filters` where it is installed, our stand-in where it is not."""

try:
    from message_filters import ApproximateTimeSynchronizer, SimpleFilter
except ImportError:  # the ROS 2 wheels of PyPI have none
    from tiltbot_ros.sensors.synchronizer import ApproximateTimeSynchronizer, SimpleFilter

__all__ = ["ApproximateTimeSynchronizer", "SimpleFilter"]
