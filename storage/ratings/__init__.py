"""Thumbs, scores, votes."""
