"""Microphones and cameras, and their simulated and file-backed twins. No ROS."""
