"""What runs under the interpreter of ROS 1: plain Python 3.8, nothing of this package."""
