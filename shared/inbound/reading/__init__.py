"""Bytes to rows, whatever kind of file it is."""
