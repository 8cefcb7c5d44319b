"""Certificates are accepted by a verifier at its strictest, and by nobody for what they are not for."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from acme_operator.providers.certificates import KeyPair, make_ca, make_server_certificate, not_after

NOW = datetime.now(UTC).replace(microsecond=0)
YEAR = timedelta(days=365)
NAMES = ("shop-db-rw.shop.svc", "shop-db-rw.shop.svc.cluster.local")


def handshake(folder: Path, server: KeyPair, trusted: str, host: str) -> None:
    """A TLS handshake in memory with Python's strict flags. Raises what the client raises."""
    (folder / "tls.crt").write_text(server.certificate)
    (folder / "tls.key").write_text(server.key)
    accepting = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    accepting.load_cert_chain(folder / "tls.crt", folder / "tls.key")
    asking = ssl.create_default_context(cadata=trusted)
    asking.verify_flags |= ssl.VERIFY_X509_STRICT
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = asking.wrap_bio(to_client, to_server, server_hostname=host)
    peer = accepting.wrap_bio(to_server, to_client, server_side=True)
    for side in (client, peer, client, peer):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue


def test_a_strict_client_accepts_every_name_of_the_certificate(tmp_path: Path) -> None:
    ca = make_ca("shop-db CA", NOW, YEAR)
    server = make_server_certificate(ca, NAMES, NOW, YEAR)

    for name in NAMES:
        handshake(tmp_path, server, ca.certificate, name)


def test_another_name_is_refused(tmp_path: Path) -> None:
    ca = make_ca("shop-db CA", NOW, YEAR)
    server = make_server_certificate(ca, NAMES, NOW, YEAR)

    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        handshake(tmp_path, server, ca.certificate, "elsewhere.shop.svc")


def test_another_authority_of_the_same_name_is_refused(tmp_path: Path) -> None:
    server = make_server_certificate(make_ca("shop-db CA", NOW, YEAR), NAMES, NOW, YEAR)

    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(tmp_path, server, make_ca("shop-db CA", NOW, YEAR).certificate, NAMES[0])


def test_an_expired_certificate_is_refused(tmp_path: Path) -> None:
    past = NOW - 2 * YEAR
    server = make_server_certificate(make_ca("shop-db CA", past, 3 * YEAR), NAMES, past, YEAR)

    assert not_after(server.certificate) == past + YEAR
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(tmp_path, server, make_ca("shop-db CA", NOW, YEAR).certificate, NAMES[0])


def test_a_server_certificate_signs_nothing(tmp_path: Path) -> None:
    server = make_server_certificate(make_ca("shop-db CA", NOW, YEAR), NAMES, NOW, YEAR)
    forged = make_server_certificate(server, ["elsewhere"], NOW, YEAR)

    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(tmp_path, forged, server.certificate, "elsewhere")


def test_a_server_certificate_never_outlives_its_authority() -> None:
    ca = make_ca("shop-db CA", NOW, timedelta(days=10))

    assert not_after(make_server_certificate(ca, NAMES, NOW, YEAR).certificate) == NOW + timedelta(days=10)


def test_an_expired_authority_signs_no_more() -> None:
    ca = make_ca("shop-db CA", NOW - YEAR, timedelta(days=10))

    with pytest.raises(ValueError, match="the authority expired"):
        make_server_certificate(ca, NAMES, NOW, YEAR)


def test_a_certificate_without_a_name_is_not_made() -> None:
    with pytest.raises(ValueError, match="at least one DNS name"):
        make_server_certificate(make_ca("shop-db CA", NOW, YEAR), [], NOW, YEAR)


def test_a_name_longer_than_a_common_name_may_be_still_makes_a_certificate(tmp_path: Path) -> None:
    name = f"{'a' * 60}.{'b' * 60}.svc.cluster.local"
    ca = make_ca(name, NOW, YEAR)

    handshake(tmp_path, make_server_certificate(ca, [name], NOW, YEAR), ca.certificate, name)


def test_a_private_key_does_not_show_in_logs() -> None:
    assert "PRIVATE KEY" not in repr(make_ca("shop-db CA", NOW, YEAR))
