"""Pictures of what was recorded, for people."""
