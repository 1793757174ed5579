"""Measurements that are commands, never tests."""
