"""One thin ROS 2 node a file."""
