"""Clips as scenes: what is true of them, what the encoders' heads say of them, and what may be asked."""

from usam.data.scenes.scene import Part, Scene, joined, named, spoken, token_count

__all__ = ["Part", "Scene", "joined", "named", "spoken", "token_count"]
