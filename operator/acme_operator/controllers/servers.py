"""Where a datastore's server is and how to administer it: made here (Builtin) or taken as told (External)."""

from datetime import datetime, timedelta

from acme_operator.api.datastore import AcmeDatastoreSpec, External, TlsMode
from acme_operator.api.manifests import Manifest
from acme_operator.api.meta import OwnerMeta
from acme_operator.api.reasons import Reason
from acme_operator.controllers.generated import publish
from acme_operator.controllers.kinds import datastore_ref
from acme_operator.controllers.reports import Tools
from acme_operator.engine.cluster import Ref
from acme_operator.engine.errors import Waiting
from acme_operator.engine.kinds import SECRET
from acme_operator.providers import certificates, passwords
from acme_operator.providers.contract import Server, SslMode
from acme_operator.render import bindings, names
from acme_operator.render.datastore import admin_secret, server_names, tls_secret

CERTIFICATE_LIFETIME = timedelta(days=3650)
"""Ten years: the key of its CA is thrown away when it is made, so a new certificate is a new CA for every consumer."""

_SSL_MODES: dict[TlsMode, SslMode] = {
    TlsMode.VERIFY_FULL: "verify-full",
    TlsMode.REQUIRE: "require",
    TlsMode.DISABLE: "disable",
}


class Servers:
    """Knows how to come by a `Server`. Passwords and certificates that exist are never made anew."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    async def secrets(self, owner: OwnerMeta, spec: AcmeDatastoreSpec) -> list[Manifest]:
        """The Secrets that a Builtin server starts from, as wanted now: stored values where they exist."""
        return [await self._admin(owner, spec), await self._tls(owner, spec)]

    async def _admin(self, owner: OwnerMeta, spec: AcmeDatastoreSpec) -> Manifest:
        stored = self._values(owner, names.admin_secret(owner.name))
        if "password" in stored:
            return admin_secret(owner, spec.deletion_policy, stored["password"])
        made = admin_secret(owner, spec.deletion_policy, passwords.generate())
        await publish(self._tools, datastore_ref(owner), made)
        return made

    async def _tls(self, owner: OwnerMeta, spec: AcmeDatastoreSpec) -> Manifest:
        stored = self._values(owner, names.tls_secret(owner.name))
        if {"ca.crt", "tls.crt", "tls.key"} <= stored.keys():
            return tls_secret(owner, spec.deletion_policy, stored["ca.crt"], stored["tls.crt"], stored["tls.key"])
        now = self._tools.clock()
        ca, server = _certificate(owner, now)
        made = tls_secret(owner, spec.deletion_policy, ca.certificate, server.certificate, server.key)
        await publish(self._tools, datastore_ref(owner), made)
        return made

    def _values(self, owner: OwnerMeta, name: str) -> dict[str, str]:
        found = self._tools.store.get(Ref(SECRET, owner.namespace, name))
        return {} if found is None else bindings.decoded(found)

    def builtin(self, owner: OwnerMeta) -> Server:
        """The Builtin server, by the Secrets that it was started from."""
        admin = self._values(owner, names.admin_secret(owner.name))
        return Server(
            names.host(names.read_write(owner.name), owner.namespace),
            names.POSTGRES_PORT,
            admin["username"],
            admin["password"],
            ca=self._values(owner, names.tls_secret(owner.name))["ca.crt"],
        )

    async def external(self, owner: OwnerMeta, external: External) -> Server:
        """The External server; its admin Secret is read afresh, as it is not ours to watch. Raises Waiting without it."""
        ref = Ref(SECRET, owner.namespace, external.admin_secret.name)
        secret = await self._tools.cluster.get(ref)
        values = {} if secret is None else bindings.decoded(secret)
        missing = sorted({"username", "password"} - values.keys())
        if missing:
            what = "does not exist" if secret is None else f"lacks the key {missing[0]}"
            raise Waiting(
                Reason.SECRET_MISSING,
                f"Secret {ref.name} {what}: create it with the keys username and password, or correct "
                "spec.external.adminSecret.name",
            )
        return Server(
            external.host,
            external.port,
            values["username"],
            values["password"],
            ca=values.get("ca.crt"),
            sslmode=_SSL_MODES[external.tls],
        )


def _certificate(owner: OwnerMeta, now: datetime) -> tuple[certificates.KeyPair, certificates.KeyPair]:
    ca = certificates.make_ca(f"{owner.namespace}/{owner.name}", now, CERTIFICATE_LIFETIME)
    return ca, certificates.make_server_certificate(ca, server_names(owner), now, CERTIFICATE_LIFETIME)
