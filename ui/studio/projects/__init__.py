"""Clips that become items of projects: where they come from, and who asks the model about them."""
