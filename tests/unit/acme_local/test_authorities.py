"""Certificates satisfy strict verifiers, are kept while right, and are made anew when they are not."""

import ssl
from pathlib import Path

from cryptography import x509

from acme_local import authorities
from acme_local.authorities import Identity, Pair

SERVER = Identity("server", hosts=["127.0.0.1", "localhost"])


def handshake(ca: Pair, server: Pair) -> None:
    """A TLS handshake in memory, verified as strictly as Python can."""
    client_context = ssl.create_default_context(cafile=str(ca.certificate))
    client_context.verify_flags |= ssl.VERIFY_X509_STRICT
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_context.load_cert_chain(server.certificate, server.key)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client_context.wrap_bio(to_client, to_server, server_hostname="localhost"),
        server_context.wrap_bio(to_server, to_client, server_side=True),
    ]
    waiting = ends
    while waiting:
        waiting = [end for end in waiting if not _finished(end)]


def _finished(end: ssl.SSLObject) -> bool:
    try:
        end.do_handshake()
    except ssl.SSLWantReadError:
        return False
    return True


def test_a_strict_verifier_accepts_the_authority_and_what_it_issues(tmp_path: Path) -> None:
    ca = authorities.authority(tmp_path, "ca")

    handshake(ca, authorities.issue(ca, tmp_path, "server", SERVER))


def test_a_right_certificate_is_kept(tmp_path: Path) -> None:
    ca = authorities.authority(tmp_path, "ca")
    first = authorities.issue(ca, tmp_path, "server", SERVER).certificate.read_bytes()

    assert authorities.authority(tmp_path, "ca") == ca
    assert authorities.issue(ca, tmp_path, "server", SERVER).certificate.read_bytes() == first


def test_a_certificate_is_made_anew_for_another_host_another_group_or_another_authority(tmp_path: Path) -> None:
    ca = authorities.authority(tmp_path, "ca")
    texts = [authorities.issue(ca, tmp_path, "server", SERVER).certificate.read_bytes()]
    changed = (Identity("server", hosts=["localhost"]), Identity("server", ["admins"], ["localhost"]))
    texts += [authorities.issue(ca, tmp_path, "server", identity).certificate.read_bytes() for identity in changed]
    other = authorities.authority(tmp_path / "other", "ca")
    texts.append(authorities.issue(other, tmp_path, "server", SERVER).certificate.read_bytes())

    assert len(set(texts)) == len(texts)


def test_user_and_groups_are_where_kubernetes_reads_them(tmp_path: Path) -> None:
    ca = authorities.authority(tmp_path, "ca")

    made = authorities.issue(ca, tmp_path, "admin", Identity("joe", ["system:masters"]))

    subject = x509.load_pem_x509_certificate(made.certificate.read_bytes()).subject
    assert subject.rfc4514_string() == "CN=joe,O=system:masters"


def test_private_keys_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    files = [authorities.authority(tmp_path, "ca"), authorities.signing_key(tmp_path, "tokens")]

    assert [pair.key.stat().st_mode & 0o777 for pair in files] == [0o600, 0o600]
