"""Binding Secrets: the files that consumers of the Service Binding form look for."""

import re
from urllib.parse import unquote, urlsplit

from acme_operator.api.access import Access
from acme_operator.api.facts import Claim, DatabaseBinding
from acme_operator.api.meta import OwnerMeta
from acme_operator.render.bindings import database_secret, decoded

OWNER = OwnerMeta(kind="AcmeDatastore", name="shop-db", namespace="shop", uid="u")
CLAIM = Claim("product", "db", "product", Access.OWNER, shared=False)


def files(password: str = "secret", certificates: str = "PEM") -> dict[str, str]:
    binding = DatabaseBinding(
        CLAIM, "shop-db-rw.shop.svc", 5432, "shop.product.db", password, "verify-full", certificates
    )
    return decoded(database_secret(OWNER, binding))


def test_every_key_that_a_consumer_reads_is_there() -> None:
    wanted = {"type", "provider", "host", "port", "database", "username", "password", "uri", "jdbc-url", "r2dbc-url"}

    assert wanted | {"sslmode", "sslrootcert", "certificates"} == files().keys()


def test_keys_keep_to_the_specification() -> None:
    assert all(re.fullmatch(r"[a-z0-9\-.]{1,253}", key) for key in files())


def test_the_type_is_said_twice() -> None:
    binding = DatabaseBinding(CLAIM, "h", 1, "u", "p", "require")
    secret = database_secret(OWNER, binding)

    assert secret["type"] == "servicebinding.io/postgresql"
    assert decoded(secret)["type"] == "postgresql"


def test_a_password_of_any_characters_survives_the_uri() -> None:
    odd = "a/b@c:d?e%f#g"

    parts = urlsplit(files(odd)["uri"])

    assert unquote(parts.password or "") == odd
    assert parts.hostname == "shop-db-rw.shop.svc"


def test_a_server_without_a_ca_of_its_own_binds_no_certificate_file() -> None:
    assert {"certificates", "sslrootcert"} & files(certificates="").keys() == set()


def test_a_password_is_not_in_the_binding_s_own_words() -> None:
    assert "hidden" not in repr(DatabaseBinding(CLAIM, "h", 1, "u", "hidden", "require"))
