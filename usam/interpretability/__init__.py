"""Tests on one answer: what changes it, and what it depends on."""
