"""Sawyer: its SDK speaks ROS 1 only, so it lives in a process of its own."""
