"""The golden cases: each folder holds input.yaml (objects and facts) and expected.yaml (what render makes of it).

`python -m tests.golden.cases` (part of `make gen`) writes expected.yaml anew; the difference is there to be read in review.
"""

from pathlib import Path
from typing import Any

import yaml

from acme_operator.api.datastore import AcmeDatastoreSpec
from acme_operator.api.facts import BuiltinFacts, DatastoreTarget, ServiceFacts, ServiceTarget
from acme_operator.api.manifests import Manifest
from acme_operator.api.meta import OwnerMeta
from acme_operator.api.service import AcmeServiceSpec
from acme_operator.render.datastore import datastore_manifests
from acme_operator.render.service import revision, standing

FOLDER = Path(__file__).parent / "render"


def cases() -> list[Path]:
    """The folders of all cases."""
    return sorted(path.parent for path in FOLDER.glob("*/input.yaml"))


def rendered(case: Path) -> list[Manifest]:
    """What render makes of a case's input."""
    given = yaml.safe_load((case / "input.yaml").read_text())
    owner = OwnerMeta.of(given["object"])
    if owner.kind == "AcmeDatastore":
        facts = BuiltinFacts(**_tuples(given["facts"]))
        return datastore_manifests(owner, AcmeDatastoreSpec.model_validate(given["object"]["spec"]), facts)
    spec = AcmeServiceSpec.model_validate(given["object"]["spec"])
    return [*standing(owner, spec), *revision(owner, spec, _service_facts(given["facts"]))]


def _service_facts(given: dict[str, Any]) -> ServiceFacts:
    return ServiceFacts(
        services=tuple(ServiceTarget(**target) for target in given.get("services", ())),
        datastores=tuple(DatastoreTarget(**target) for target in given.get("datastores", ())),
        callers=tuple(given.get("callers", ())),
    )


def _tuples(given: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in given.items()}


def document(manifests: list[Manifest]) -> str:
    """The manifests as YAML, in the order in which they are applied."""
    return yaml.safe_dump_all(manifests, sort_keys=True, width=1000)


if __name__ == "__main__":
    for folder in cases():
        (folder / "expected.yaml").write_text(document(rendered(folder)))
