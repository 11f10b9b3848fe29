"""The verbs of `tiltbot` that learn."""
