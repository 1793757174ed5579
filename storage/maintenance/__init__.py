"""Backups, retention, erasure."""
