"""From a checkpoint to answers, without ROS."""
