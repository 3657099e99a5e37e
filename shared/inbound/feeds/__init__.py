"""The feed file: what an admin writes, as models."""
