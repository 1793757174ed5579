"""Exports for tables and datasets."""
