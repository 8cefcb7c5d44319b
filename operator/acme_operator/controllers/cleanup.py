"""What has to be taken away outside the cluster before an AcmeDatastore may go: the logins on an External server.

Databases are never dropped there. A Builtin server goes with its owner reference and needs nothing of this.
"""

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from acme_operator.api.datastore import AcmeDatastoreSpec, External
from acme_operator.api.meta import OwnerMeta
from acme_operator.api.reasons import Reason
from acme_operator.checks import verdicts
from acme_operator.controllers.reports import Reporter, Tools
from acme_operator.controllers.servers import Servers
from acme_operator.engine.cluster import Ref
from acme_operator.engine.errors import Waiting
from acme_operator.providers.contract import Change, Provider, Server
from acme_operator.providers.errors import ProviderError
from acme_operator.render import names

Connect = Callable[[Server, str], Provider]
"""Opens a connection on behalf of `<namespace>/<name>`."""


class Cleanup:
    """Holds an External datastore by a finalizer until its logins are gone."""

    def __init__(self, tools: Tools, reporter: Reporter, servers: Servers, connect: Connect) -> None:
        self._tools = tools
        self._reporter = reporter
        self._servers = servers
        self._connect = connect

    async def promise(self, ref: Ref, owner: OwnerMeta) -> None:
        """Put the finalizer on before the first login is made, or a deletion right after would leave it behind."""
        if names.FINALIZER not in owner.finalizers:
            await self._finalizers(ref, owner, [*owner.finalizers, names.FINALIZER])

    async def run(self, ref: Ref, owner: OwnerMeta, spec: Mapping[str, Any]) -> None:
        """Drop the logins and let the object go. A deletion that nothing can help any more is never held up."""
        if names.FINALIZER not in owner.finalizers:
            return
        external = _external(spec)
        if external is None or owner.annotations.get(names.FORCE_DELETE) == "true":
            self._left_behind(ref, "its logins stay on the server, as asked or as its spec can't be read")
        else:
            await self._drop_logins(ref, owner, external)
        await self._finalizers(ref, owner, [name for name in owner.finalizers if name != names.FINALIZER])

    async def _drop_logins(self, ref: Ref, owner: OwnerMeta, external: External) -> None:
        try:
            server = await self._servers.external(owner, external)
        except Waiting as wait:
            # In a namespace that is being deleted the admin Secret may be gone first, and never comes back.
            self._left_behind(ref, f"its logins stay on the server: {wait.message}")
            return
        try:
            await self._drop_all(ref, server)
        except ProviderError as error:
            message = f"{error}; mend it, or annotate {names.FORCE_DELETE}=true to leave the logins on the server"
            verdict = verdicts.stalled(Reason.CLEANUP_BLOCKED, message, available=False)
            await self._reporter.report(ref, owner, verdict, {})
            raise Waiting(Reason.CLEANUP_BLOCKED, message) from error

    async def _drop_all(self, ref: Ref, server: Server) -> None:
        changes: list[Change] = []
        try:
            async with self._connect(server, f"{ref.namespace}/{ref.name}") as provider:
                for login in sorted((await provider.observe()).logins):
                    changes.extend(await provider.drop_login(login))
        except ProviderError as error:
            changes.extend(error.changes)
            raise
        finally:
            self._reporter.changed_outside(ref, changes)

    def _left_behind(self, ref: Ref, why: str) -> None:
        self._reporter.warn(ref, Reason.LEFT_BEHIND, f"{ref.name} is deleted and {why}; drop them there by hand")

    async def _finalizers(self, ref: Ref, owner: OwnerMeta, wanted: list[str]) -> None:
        answer = await self._tools.cluster.patch_finalizers(ref, wanted, owner.resource_version)
        if wanted or owner.deletion_timestamp is None:
            self._tools.store.upsert(ref.kind, answer)


def _external(spec: Mapping[str, Any]) -> External | None:
    try:
        return AcmeDatastoreSpec.model_validate(spec).external
    except ValidationError:
        return None
