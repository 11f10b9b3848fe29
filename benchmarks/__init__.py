"""What tiltbot costs, measured: `./run bench [NAME ...]`."""
