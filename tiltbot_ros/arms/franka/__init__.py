"""Franka Research 3, by franky and libfranka."""
