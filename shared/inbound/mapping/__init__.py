"""Rows to users: the feed's rules, compiled."""
