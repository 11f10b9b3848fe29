"""From messages to contact-triggered episodes and back. No ROS."""
