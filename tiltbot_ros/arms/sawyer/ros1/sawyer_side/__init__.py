"""The side process of Sawyer: a unix socket on one side, `intera_interface` on the other.

It runs under the Python of ROS 1 (3.8 and newer) with nothing but its own files
and ROS 1: `PYTHONPATH=.../ros1 python3 -m sawyer_side --socket PATH`.
"""
