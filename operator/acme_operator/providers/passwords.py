"""Passwords for logins we make. They come from the operating system's source of randomness and are never derived."""

import secrets


def generate() -> str:
    """A fresh password: 32 characters of the URL-safe alphabet, 192 bits."""
    return secrets.token_urlsafe(24)
