"""Settings of the operator's process; the only reader of its environment."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel


class SettingsError(Exception):
    """A setting is missing or wrong; the message names it and says what to write."""


class Platform(BaseModel):
    """What the platform's owner decides for all: config/platform.yaml, mounted from a ConfigMap."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=True)

    images: Annotated[
        Mapping[str, Mapping[str, str]],
        Field(description="The image of each version of each Builtin engine: {postgres: {'17': image}}."),
    ]

    def image(self, engine: str, version: str) -> str | None:
        """The image of an engine's version, or None where the catalog has none."""
        return self.images.get(engine, {}).get(version)


class Settings(BaseModel):
    """Everything the process is told from outside."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    platform: Platform
    namespace: str
    """The operator's own namespace: its pods may reach the datastores."""
    watch_namespace: str | None
    """None watches all namespaces."""
    http_port: int
    """Serves /livez, /readyz and /metrics."""
    log_level: str


def read(environment: Mapping[str, str]) -> Settings:
    """The settings that the environment and the platform config file give.

    Raises SettingsError, which names the variable or the key of the file.
    """
    path = environment.get("ACME_PLATFORM_CONFIG", "/etc/acme/platform.yaml")
    port = environment.get("ACME_HTTP_PORT", "8080")
    if not port.isdigit():
        raise SettingsError(f"ACME_HTTP_PORT is {port!r}: give a port number")
    return Settings(
        platform=_platform(Path(path)),
        namespace=environment.get("ACME_NAMESPACE", "acme-system"),
        watch_namespace=environment.get("ACME_WATCH_NAMESPACE") or None,
        http_port=int(port),
        log_level=environment.get("ACME_LOG_LEVEL", "INFO").upper(),
    )


def _platform(path: Path) -> Platform:
    try:
        document = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise SettingsError(f"platform config {path} can't be read ({error}): set ACME_PLATFORM_CONFIG") from error
    try:
        return Platform.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "(the document)"
        raise SettingsError(f"platform config {path}: {where}: {first['msg']}") from error
