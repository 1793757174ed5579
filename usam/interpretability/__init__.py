"""Tests on one answer: what changes it, and what it leans on."""
