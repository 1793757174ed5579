"""Exports for preference trainers."""
