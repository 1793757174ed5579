"""Trained adapters, and the layout of their folders."""
