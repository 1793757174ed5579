"""What a request and an answer are; needs no torch."""
