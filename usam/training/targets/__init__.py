"""What the audio tokens should say."""
