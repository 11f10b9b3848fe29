"""Everything of tiltbot that learns."""
