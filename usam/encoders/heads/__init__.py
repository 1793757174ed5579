"""What the encoders' own heads say about a clip, as words for the audio tokens."""
