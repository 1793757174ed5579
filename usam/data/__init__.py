"""Labelled clips: read, split, augmented, encoded once."""
