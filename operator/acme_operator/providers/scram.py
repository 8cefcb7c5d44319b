"""SCRAM-SHA-256 verifiers (RFC 5802, RFC 7677) made on this side, so that a plain password never stands in a statement."""

import base64
import hashlib
import hmac
import secrets

from acme_operator.providers.errors import BadName

ITERATIONS = 4096
"""PostgreSQL's own default. Our passwords have 192 random bits, so more rounds would buy nothing."""


def verifier(password: str, salt: bytes | None = None) -> str:
    """What PostgreSQL stores for `password`; a fresh salt unless one is given.

    Raises BadName unless the password is printable ASCII: other text would need SASLprep, which not every client does alike.
    """
    if not password or not (password.isascii() and password.isprintable()):
        raise BadName("a login's password must be printable ASCII and not empty: generate a new one")
    salt = secrets.token_bytes(16) if salt is None else salt
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, ITERATIONS)
    stored_key = hashlib.sha256(_keyed(salted, b"Client Key")).digest()
    return f"SCRAM-SHA-256${ITERATIONS}:{_text(salt)}${_text(stored_key)}:{_text(_keyed(salted, b'Server Key'))}"


def _keyed(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
