"""Figures, tables and pictures of what a model can do."""
