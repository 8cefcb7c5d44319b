"""Certificates: one authority, and what it issues.

Strict verifiers (Python 3.13 and newer) refuse a CA without key usage, critical basic constraints and key
identifiers, so every certificate made here has them.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_CA_LIFE = timedelta(days=3650)
_LEAF_LIFE = timedelta(days=365)
_RENEW_BEFORE = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Pair:
    """The files of a certificate and of its private key."""

    certificate: Path
    key: Path

    @property
    def missing(self) -> bool:
        """Whether one of the two files is not there."""
        return not (self.certificate.exists() and self.key.exists())


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom a certificate names: a user (common name) with its groups, and the hosts a server answers as."""

    user: str
    groups: Sequence[str] = ()
    hosts: Sequence[str] = ()


def pair(folder: Path, name: str) -> Pair:
    """Where the certificate called `name` is kept in `folder`."""
    return Pair(folder / f"{name}.crt", folder / f"{name}.key")


def authority(folder: Path, name: str) -> Pair:
    """The self-signed authority `name` of `folder`, made when it is missing."""
    files = pair(folder, name)
    if not files.missing:
        return files
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = _builder(subject, key.public_key(), _CA_LIFE).issuer_name(subject)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    builder = builder.add_extension(_key_usage(authority=True), critical=True)
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
    builder = builder.add_extension(identifier, critical=False)
    _write(files, builder.sign(key, hashes.SHA256()), key)
    return files


def issue(issuer: Pair, folder: Path, name: str, identity: Identity) -> Pair:
    """A certificate of `issuer` for client and server use; the one on disk is kept while it is still right."""
    files = pair(folder, name)
    ca = x509.load_pem_x509_certificate(issuer.certificate.read_bytes())
    if not files.missing and _still_right(files, ca, identity):
        return files
    key = ec.generate_private_key(ec.SECP256R1())
    ca_key = serialization.load_pem_private_key(issuer.key.read_bytes(), None)
    if not isinstance(ca_key, ec.EllipticCurvePrivateKey):
        raise TypeError(f"{issuer.key} is not an elliptic-curve key; remove {folder} and start again")
    builder = _builder(_subject(identity), key.public_key(), _LEAF_LIFE).issuer_name(ca.subject)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_key_usage(authority=False), critical=True)
    usages = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
    builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
    builder = builder.add_extension(identifier, critical=False)
    if identity.hosts:
        builder = builder.add_extension(x509.SubjectAlternativeName(_names(identity.hosts)), critical=False)
    _write(files, builder.sign(ca_key, hashes.SHA256()), key)
    return files


def signing_key(folder: Path, name: str) -> Pair:
    """A bare key pair (`certificate` is the public key), such as the one that signs service-account tokens."""
    files = Pair(folder / f"{name}.pub", folder / f"{name}.key")
    if files.missing:
        key = ec.generate_private_key(ec.SECP256R1())
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        _write_key(files.key, key)
        files.certificate.write_bytes(public)
    return files


def _still_right(files: Pair, ca: x509.Certificate, identity: Identity) -> bool:
    certificate = x509.load_pem_x509_certificate(files.certificate.read_bytes())
    try:
        certificate.verify_directly_issued_by(ca)
    except (InvalidSignature, ValueError):
        return False
    if certificate.subject != _subject(identity):
        return False
    if certificate.not_valid_after_utc - _RENEW_BEFORE < datetime.now(UTC):
        return False
    return _hosts_of(certificate) == set(_names(identity.hosts))


def _hosts_of(certificate: x509.Certificate) -> set[x509.GeneralName]:
    try:
        return set(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except x509.ExtensionNotFound:
        return set()


def _builder(subject: x509.Name, key: ec.EllipticCurvePublicKey, life: timedelta) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(subject).public_key(key).serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(minutes=5)).not_valid_after(now + life)
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)


def _subject(identity: Identity) -> x509.Name:
    groups = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in identity.groups]
    return x509.Name([*groups, x509.NameAttribute(NameOID.COMMON_NAME, identity.user)])


def _names(hosts: Sequence[str]) -> list[x509.GeneralName]:
    return [_general_name(host) for host in hosts]


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _write(files: Pair, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
    _write_key(files.key, key)
    files.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
