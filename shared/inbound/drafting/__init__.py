"""A first feed file from a real export."""
