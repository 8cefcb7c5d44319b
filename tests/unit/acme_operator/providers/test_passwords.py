"""Passwords are long, fit for a URL and never the same; verifiers are PostgreSQL's."""

import re

import pytest

from acme_operator.providers import passwords
from acme_operator.providers.errors import BadName
from acme_operator.providers.scram import verifier


def test_a_password_has_32_characters_that_need_no_quoting() -> None:
    made = {passwords.generate() for _ in range(100)}

    assert len(made) == 100
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{32}", password) for password in made)


def test_a_verifier_is_the_one_that_postgresql_computes() -> None:
    # The exchange of RFC 7677 §3: user "user", password "pencil"; the keys follow from its proof and signature.
    made = verifier("pencil", bytes.fromhex("5b6d99689d12358eeca0 4b141236fa81"))

    assert made == (
        "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
    )


def test_the_same_password_never_gives_the_same_verifier() -> None:
    assert verifier("secret") != verifier("secret")


@pytest.mark.parametrize("password", ["", "pässword", "line\nbreak", "null\0"])
def test_a_password_that_clients_would_read_differently_is_refused(password: str) -> None:
    with pytest.raises(BadName, match="printable ASCII") as caught:
        verifier(password)

    assert not password or password not in str(caught.value)
