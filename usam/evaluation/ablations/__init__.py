"""What each part brings: answers with it taken out."""
