"""Arms: the protocol, limits, tilts, and one driver a file."""
