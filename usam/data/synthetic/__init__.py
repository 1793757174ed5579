"""Clips made by programs."""
