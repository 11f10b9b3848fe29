"""Whole demonstrations: recorded, listed, read and replayed."""
