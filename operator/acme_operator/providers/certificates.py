"""The private authority of a Builtin datastore and its server's certificate. ECDSA P-256, strict enough for every verifier;
time comes in as an argument. This room stores nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import cast

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

BACKDATED = timedelta(minutes=5)
"""How long before `now` a certificate is valid: clocks of pods and clients differ."""
_COMMON_NAME_LIMIT = 64


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A certificate and its private key, both PEM."""

    certificate: str
    key: str = field(repr=False)


def make_ca(common_name: str, now: datetime, lifetime: timedelta) -> KeyPair:
    """A self-signed authority that may sign leaves only; `now` must know its time zone."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(common_name)
    builder = (
        _dated(x509.CertificateBuilder(), now, lifetime)
        .subject_name(name)
        .issuer_name(name)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
    )
    return _signed(builder, key, key)


def make_server_certificate(ca: KeyPair, dns_names: Sequence[str], now: datetime, lifetime: timedelta) -> KeyPair:
    """A server's certificate for `dns_names` (the first is the common name), which never outlives its authority.

    Raises ValueError without a name, or when the authority has expired.
    """
    if not dns_names:
        raise ValueError("a server certificate needs at least one DNS name")
    authority = x509.load_pem_x509_certificate(ca.certificate.encode())
    lifetime = min(lifetime, authority.not_valid_after_utc - now)
    if lifetime <= timedelta(0):
        raise ValueError(f"the authority expired at {authority.not_valid_after_utc:%Y-%m-%d}: make a new one first")
    key = ec.generate_private_key(ec.SECP256R1())
    builder = (
        _dated(x509.CertificateBuilder(), now, lifetime)
        .subject_name(_name(dns_names[0]))
        .issuer_name(authority.subject)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in dns_names]), critical=False)
    )
    return _signed(builder, key, _private_key(ca))


def not_after(certificate: str) -> datetime:
    """When a PEM certificate ends, in UTC."""
    return x509.load_pem_x509_certificate(certificate.encode()).not_valid_after_utc


def _private_key(pair: KeyPair) -> ec.EllipticCurvePrivateKey:
    return cast("ec.EllipticCurvePrivateKey", load_pem_private_key(pair.key.encode(), password=None))


def _signed(
    builder: x509.CertificateBuilder, key: ec.EllipticCurvePrivateKey, issuer: ec.EllipticCurvePrivateKey
) -> KeyPair:
    # Python 3.13 and newer OpenSSL clients refuse a chain without both key identifiers.
    certificate = (
        builder.public_key(key.public_key())
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key()), critical=False)
        .sign(issuer, SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return KeyPair(certificate.public_bytes(Encoding.PEM).decode(), private.decode())


def _dated(builder: x509.CertificateBuilder, now: datetime, lifetime: timedelta) -> x509.CertificateBuilder:
    return (
        builder.serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + lifetime)
    )


def _name(common_name: str) -> x509.Name:
    # X.509 allows 64 characters; names are matched against the alternative names, so a cut one harms nothing.
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name[:_COMMON_NAME_LIMIT])])


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )
