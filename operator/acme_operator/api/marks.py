"""The labels, annotations and field managers by which engine and render know what is ours. Each is spelt here once."""

FIELD_MANAGER = "acme-operator"
STATUS_MANAGER = "acme-operator-status"

MANAGED_BY = "app.kubernetes.io/managed-by"
MANAGED_SELECTOR = f"{MANAGED_BY}={FIELD_MANAGER}"

OWNER_UID = "platform.acme.dev/owner-uid"
"""Label: the uid of the object that a child was made for; what an owner has is found by it, across namespaces too."""

APPLIED_HASH = "platform.acme.dev/applied-hash"
"""Annotation: digest of the manifest as rendered, so that a field we stopped rendering is seen as a difference."""

RETAIN = "platform.acme.dev/retain"
"""Annotation: "true" keeps an object from being pruned, whatever is rendered."""
