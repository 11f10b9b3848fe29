"""Simulated worlds and their sound. No ROS."""
