"""The pictures of a study, one a file."""
