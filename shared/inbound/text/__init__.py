"""Text and nothing else: encodings, transforms, checks of what a value is."""
