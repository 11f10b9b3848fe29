"""Data from elsewhere, made into episodes."""
