"""Change the audio tokens that the language model reads, and ask again."""
