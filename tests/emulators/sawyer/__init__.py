"""Sawyer without Sawyer: its robot, its SDK, and a ROS 1 node with its topics."""
