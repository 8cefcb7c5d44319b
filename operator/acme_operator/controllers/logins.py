"""Databases and logins on a server that answers: one login and one Secret for every claim, none for anybody else.

Order matters. A new login works before its Secret is published, and a Secret that exists is never given another
password: whoever reads it may be running on it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from acme_operator.api.datastore import Consumer, Postgres
from acme_operator.api.facts import Claim, DatabaseBinding
from acme_operator.api.meta import OwnerMeta
from acme_operator.api.reasons import Reason
from acme_operator.controllers.generated import publish
from acme_operator.controllers.kinds import ACME_DATASTORE
from acme_operator.controllers.reports import Tools
from acme_operator.engine.cluster import Ref
from acme_operator.engine.kinds import SECRET
from acme_operator.providers import passwords
from acme_operator.providers.contract import Change, Login, Provider, Server
from acme_operator.render import bindings, names


@dataclass(frozen=True, slots=True)
class Bound:
    """What became of the claims."""

    changes: tuple[Change, ...]
    secrets: tuple[Ref, ...]


class Logins:
    """Brings a server's databases and logins, and the binding Secrets, in line with the claims of one datastore."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    async def bind(
        self, owner: OwnerMeta, server: Server, provider: Provider, spec: Postgres, claims: Sequence[Claim]
    ) -> Bound:
        """One pass. Raises ProviderError where the server refuses; what was done until then stands and is found again."""
        changes: list[Change] = []
        for database in spec.databases:
            changes += await provider.ensure_database(database.name, database.extensions)
        granted = _granted(spec, claims)
        for name in sorted({claim.database for claim in granted} - {database.name for database in spec.databases}):
            changes += await provider.ensure_database(name)
        for claim in granted:
            changes += await self._bind_one(owner, server, provider, claim)
        changes += await self._drop_others(owner, provider, granted)
        return Bound(
            tuple(changes),
            tuple(_secret_ref(owner, claim) for claim in granted),
        )

    def consumers(self, owner: OwnerMeta, spec: Postgres, claims: Sequence[Claim]) -> tuple[Consumer, ...]:
        """Every claim with its Secret, or with the reason why it has none yet."""
        granted = _granted(spec, claims)
        return tuple(self._consumer(owner, claim, granted=claim in granted) for claim in claims)

    def _consumer(self, owner: OwnerMeta, claim: Claim, *, granted: bool) -> Consumer:
        secret = _secret_ref(owner, claim)
        bound = granted and self._tools.store.get(secret) is not None
        reason = Reason.BOUND if bound else Reason.PROGRESSING if granted else Reason.DATABASE_NOT_DECLARED
        return Consumer(
            service=claim.service,
            dependency=claim.dependency,
            database=claim.database,
            access=claim.access,
            secret=secret.name if bound else "",
            reason=reason,
        )

    async def _bind_one(self, owner: OwnerMeta, server: Server, provider: Provider, claim: Claim) -> list[Change]:
        stored = self._stored_password(owner, claim)
        login = Login(role(owner, claim), stored or passwords.generate(), claim.database, claim.access)
        changes = await provider.ensure_login(login)
        manifest = bindings.database_secret(owner, _binding(server, claim, login))
        if stored is None:
            await publish(self._tools, _owner_ref(owner), manifest)
        else:
            await self._tools.applier.apply(_owner_ref(owner), [manifest])
        return changes

    def _stored_password(self, owner: OwnerMeta, claim: Claim) -> str | None:
        secret = self._tools.store.get(_secret_ref(owner, claim))
        return None if secret is None else bindings.decoded(secret).get("password")

    async def _drop_others(self, owner: OwnerMeta, provider: Provider, granted: Iterable[Claim]) -> list[Change]:
        wanted = {role(owner, claim) for claim in granted}
        present = (await provider.observe()).logins
        changes: list[Change] = []
        for name in sorted(present.keys() - wanted):
            changes += await provider.drop_login(name)
        return changes


def _granted(spec: Postgres, claims: Sequence[Claim]) -> list[Claim]:
    """A database that a service names has to be declared; one of its own is made for it."""
    declared = {database.name for database in spec.databases}
    return [claim for claim in claims if not claim.shared or claim.database in declared]


def role(owner: OwnerMeta, claim: Claim) -> str:
    """The login's name. The dots keep namespaces, services and dependencies apart on a server that many share."""
    return names.shortened(f"{owner.namespace}.{claim.service}.{claim.dependency}", 63)


def _owner_ref(owner: OwnerMeta) -> Ref:
    return Ref(ACME_DATASTORE, owner.namespace, owner.name)


def _secret_ref(owner: OwnerMeta, claim: Claim) -> Ref:
    return Ref(SECRET, owner.namespace, names.binding_secret(claim.service, claim.dependency))


def _binding(server: Server, claim: Claim, login: Login) -> DatabaseBinding:
    return DatabaseBinding(
        claim, server.host, server.port, login.role, login.password, server.sslmode, certificates=server.ca or ""
    )
