"""Binding files: read anew each time, and refused with the file's name."""

from pathlib import Path

import pytest

from acme_services.chassis.bindings import BindingError, postgres_binding

FILES = {
    "type": "postgresql",
    "host": "shop-db.shop.svc",
    "port": "5432",
    "database": "catalog",
    "username": "product-a",
    "password": "s3cret\n",
    "sslmode": "verify-full",
    "certificates": "-----BEGIN CERTIFICATE-----",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "db").mkdir()
    for key, value in FILES.items():
        (tmp_path / "db" / key).write_text(value)
    return tmp_path


def test_a_binding_is_what_its_files_say(root: Path) -> None:
    binding = postgres_binding(root, "db")

    assert (binding.host, binding.port, binding.database) == ("shop-db.shop.svc", 5432, "catalog")
    assert (binding.username, binding.password) == ("product-a", "s3cret")
    assert binding.certificates_file == root / "db" / "certificates"


def test_a_binding_is_read_anew_each_time(root: Path) -> None:
    before = postgres_binding(root, "db")
    (root / "db" / "password").write_text("other")

    assert postgres_binding(root, "db") != before
    assert postgres_binding(root, "db").password == "other"


def test_a_binding_never_shows_its_password(root: Path) -> None:
    assert "s3cret" not in repr(postgres_binding(root, "db"))


@pytest.mark.parametrize("key", ["type", "host", "port", "database", "username", "password", "certificates"])
def test_a_missing_file_is_named(root: Path, key: str) -> None:
    (root / "db" / key).unlink()

    with pytest.raises(BindingError, match=f"{root}/db/{key}"):
        postgres_binding(root, "db")


@pytest.mark.parametrize(
    ("key", "text"),
    [("type", "mysql"), ("port", "0"), ("port", "65536"), ("port", "five"), ("sslmode", "prefer"), ("host", " ")],
)
def test_a_file_that_makes_no_sense_is_named(root: Path, key: str, text: str) -> None:
    (root / "db" / key).write_text(text)

    with pytest.raises(BindingError, match=r"db"):
        postgres_binding(root, "db")


@pytest.mark.parametrize("sslmode", ["require", "disable"])
def test_only_verified_tls_needs_certificates(root: Path, sslmode: str) -> None:
    (root / "db" / "certificates").unlink()
    (root / "db" / "sslmode").write_text(sslmode)

    assert postgres_binding(root, "db").certificates is None


def test_tls_is_verified_when_the_binding_says_nothing(root: Path) -> None:
    (root / "db" / "sslmode").unlink()

    assert postgres_binding(root, "db").sslmode == "verify-full"
