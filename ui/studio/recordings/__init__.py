"""Whole recordings, heard in the background."""
