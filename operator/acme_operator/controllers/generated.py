"""Publishing what was just generated: never over a Secret that our view was only too old to show."""

from datetime import timedelta

from acme_operator.api.manifests import Manifest
from acme_operator.api.reasons import Reason
from acme_operator.controllers.reports import Tools
from acme_operator.engine.cluster import Ref
from acme_operator.engine.errors import Waiting
from acme_operator.engine.kinds import ref_of


async def publish(tools: Tools, owner: Ref, manifest: Manifest) -> None:
    """Make the Secret exist with this content, or raise Waiting because another content is there and counts.

    A Secret that we know and that lost the generated key is mended: what was lost can't be brought back.
    """
    ref = ref_of(manifest)
    if tools.store.get(ref) is not None:
        await tools.applier.apply(owner, [manifest])
        return
    live = await tools.applier.create_once(manifest)
    if live.get("data") != manifest["data"]:
        message = f"{ref} appeared meanwhile; its content is taken up"
        raise Waiting(Reason.PROGRESSING, message, timedelta(seconds=1))
