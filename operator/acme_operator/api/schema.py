"""Pydantic models → the structural schema that a CustomResourceDefinition carries.

Kubernetes takes a narrow dialect of OpenAPI: no references, no `anyOf` with null, no titles, no `const`.
"""

from typing import Any

from pydantic import BaseModel

Schema = dict[str, Any]

_DROPPED = frozenset({"title", "$defs", "const", "additionalProperties", "discriminator"})


def structural(model: type[BaseModel]) -> Schema:
    """The model's schema in Kubernetes' dialect, every reference resolved in place."""
    schema = model.model_json_schema(by_alias=True)
    return _node(schema, schema.get("$defs", {}))


def undefaulted(schema: Schema) -> Schema:
    """The schema without its defaults: what nobody observed must not stand in a status."""
    kept = {key: value for key, value in schema.items() if key != "default"}
    if "properties" in kept:
        kept["properties"] = {name: undefaulted(child) for name, child in kept["properties"].items()}
    if "items" in kept:
        kept["items"] = undefaulted(kept["items"])
    return kept


def _node(node: Schema, definitions: Schema) -> Schema:
    merged = _resolved(node, definitions)
    result = {key: value for key, value in merged.items() if key not in _DROPPED}
    if "default" in result:
        result["default"] = _without_absent(result["default"])
    if "properties" in result:
        result["properties"] = {name: _node(child, definitions) for name, child in result["properties"].items()}
    if "items" in result:
        result["items"] = _node(result["items"], definitions)
    if result.get("default") in (None, []):
        # An absent list and an empty one mean the same; a default would only make every stored object longer.
        result.pop("default", None)
    return result


def _without_absent(default: Any) -> Any:
    if not isinstance(default, dict):
        return default
    return {key: _without_absent(value) for key, value in default.items() if value not in (None, [])}


def _resolved(node: Schema, definitions: Schema) -> Schema:
    """The node with its reference or its optional's one real alternative merged in; the node's own words win."""
    if "$ref" in node:
        target = definitions[node["$ref"].rsplit("/", 1)[1]]
        own = {key: value for key, value in node.items() if key != "$ref"}
        return {**_resolved(target, definitions), **own}
    if "anyOf" in node:
        (real,) = [option for option in node["anyOf"] if option.get("type") != "null"]
        own = {key: value for key, value in node.items() if key != "anyOf"}
        return {**_resolved(real, definitions), **own}
    return node
