"""A stand-in for a Gen3 behind ros2_kortex: same topics, controllers, limits and lag."""
