"""The driver of Kinova's Gen3, over the topics of ros2_kortex."""
