"""Databases and logins on a server that answers: one login and one Secret for every claim, none for anybody else.

Order matters. A new login works before its Secret is published, and a Secret that exists is never given another
password: whoever reads it may be running on it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from acme_operator.api.datastore import Consumer, Postgres
from acme_operator.api.facts import Claim, DatabaseBinding
from acme_operator.api.meta import OwnerMeta
from acme_operator.api.reasons import Reason
from acme_operator.controllers.generated import publish
from acme_operator.controllers.kinds import datastore_ref
from acme_operator.controllers.reports import Tools
from acme_operator.engine.cluster import Ref
from acme_operator.engine.kinds import SECRET
from acme_operator.providers import passwords
from acme_operator.providers.contract import Change, Login, Provider, Server
from acme_operator.render import bindings, names


@dataclass(frozen=True, slots=True)
class Visit:
    """One connection to a datastore's server, and what was changed there so far."""

    owner: OwnerMeta
    server: Server
    provider: Provider
    changes: list[Change] = field(default_factory=list)


class Logins:
    """Brings a server's databases and logins, and the binding Secrets, in line with the claims of one datastore."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    async def bind(self, visit: Visit, spec: Postgres, claims: Sequence[Claim]) -> tuple[Ref, ...]:
        """One pass; the Secrets that are to stay. Raises ProviderError where the server refuses.

        What was done until then stands, is in `visit.changes`, and is found again by the next pass.
        """
        provider, granted = visit.provider, _granted(spec, claims)
        for database in spec.databases:
            visit.changes.extend(await provider.ensure_database(database.name, database.extensions))
        for name in sorted({claim.database for claim in granted} - {database.name for database in spec.databases}):
            visit.changes.extend(await provider.ensure_database(name))
        for claim in granted:
            await self._bind_one(visit, claim)
        await self._drop_others(visit, granted)
        return tuple(_secret_ref(visit.owner, claim) for claim in granted)

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

    async def _bind_one(self, visit: Visit, claim: Claim) -> None:
        owner, stored = visit.owner, self._stored_password(visit.owner, claim)
        login = Login(role(owner, claim), stored or passwords.generate(), claim.database, claim.access)
        visit.changes.extend(await visit.provider.ensure_login(login))
        manifest = bindings.database_secret(owner, _binding(visit.server, claim, login))
        if stored is None:
            await publish(self._tools, datastore_ref(owner), manifest)
        else:
            await self._tools.applier.apply(datastore_ref(owner), [manifest])

    def _stored_password(self, owner: OwnerMeta, claim: Claim) -> str | None:
        secret = self._tools.store.get(_secret_ref(owner, claim))
        return None if secret is None else bindings.decoded(secret).get("password")

    async def _drop_others(self, visit: Visit, granted: Iterable[Claim]) -> None:
        wanted = {role(visit.owner, claim) for claim in granted}
        present = (await visit.provider.observe()).logins
        for name in sorted(present.keys() - wanted):
            visit.changes.extend(await visit.provider.drop_login(name))


def _granted(spec: Postgres, claims: Sequence[Claim]) -> list[Claim]:
    """A database that a service names has to be declared; one of its own is made for it."""
    declared = {database.name for database in spec.databases}
    return [claim for claim in claims if not claim.shared or claim.database in declared]


def role(owner: OwnerMeta, claim: Claim) -> str:
    """The login's name. The dots keep namespaces, services and dependencies apart on a server that many share."""
    return names.shortened(f"{owner.namespace}.{claim.service}.{claim.dependency}", 63)


def _secret_ref(owner: OwnerMeta, claim: Claim) -> Ref:
    return Ref(SECRET, owner.namespace, names.binding_secret(claim.service, claim.dependency))


def _binding(server: Server, claim: Claim, login: Login) -> DatabaseBinding:
    return DatabaseBinding(
        claim, server.host, server.port, login.role, login.password, server.sslmode, certificates=server.ca or ""
    )
