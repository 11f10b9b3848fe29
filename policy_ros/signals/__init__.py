"""Audio front ends and image operations."""
