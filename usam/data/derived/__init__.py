"""Clips made from other clips."""
