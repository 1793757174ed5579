"""The trained part: audio frames to the language model's audio tokens."""
