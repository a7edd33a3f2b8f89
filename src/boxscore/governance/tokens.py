"""Secrets that we make: 256 random bits in text, of which only the hash is kept.

SHA-256 is the right hash for them, and a slow one would be wrong: what slows guessing is that there are 2^256 of them,
and each request pays for the hash. Passwords, which people choose among few, are hashed in `users`.
"""

import hashlib
import secrets

__all__ = ["hashed", "new_id", "new_token"]

_MOST = 512


def new_token(prefix: str = "") -> str:
    """43 characters after the prefix."""
    return prefix + secrets.token_urlsafe(32)


def hashed(token: str) -> str:
    """SHA-256 in hex. What is longer than any token of ours is not looked at to its end."""
    return hashlib.sha256(token[:_MOST].encode("utf-8", "surrogatepass")).hexdigest()


def new_id(prefix: str) -> str:
    """Names something, and is no secret."""
    return f"{prefix}_{secrets.token_hex(8)}"
