"""How a person leads an arm: pose sources, and what becomes of their poses. No ROS in it."""
