"""Training runs: configuration, loop, run folder, checkpoint."""
