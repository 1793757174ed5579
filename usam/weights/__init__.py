"""Pretrained weights: fetched, checked, converted."""
