"""The verbs of the `tiltbot` command, one a file."""
