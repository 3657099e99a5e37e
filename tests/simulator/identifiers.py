"""Identifiers in the form of a GUID."""

import random


def new_guid() -> str:
    """A random GUID (RFC 9562, version 4); not a secret, and much cheaper than `uuid` where thousands are made."""
    digits = f"{random.getrandbits(128):032x}"
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"
