"""A report on a data set: one page that opens without a server. No torch, no ROS."""
