"""The simulator's own rules; it is a witness, so it is examined too."""
