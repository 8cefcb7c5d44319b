"""What the process is told from outside, and the sentence when it is told nonsense."""

from pathlib import Path

import pytest

from acme_operator import settings


def environment(tmp_path: Path, text: str, **more: str) -> dict[str, str]:
    config = tmp_path / "platform.yaml"
    config.write_text(text)
    return {"ACME_PLATFORM_CONFIG": str(config), **more}


def test_the_catalog_answers_by_engine_and_version(tmp_path: Path) -> None:
    told = settings.read(environment(tmp_path, "images: {postgres: {'17': 'postgres:17'}}"))

    assert told.platform.image("postgres", "17") == "postgres:17"
    assert told.platform.image("postgres", "16") is None


def test_an_empty_watch_namespace_means_all(tmp_path: Path) -> None:
    told = settings.read(environment(tmp_path, "images: {}", ACME_WATCH_NAMESPACE=""))

    assert told.watch_namespace is None


@pytest.mark.parametrize(
    ("text", "named"),
    [("imagess: {}", "images"), ("images: 5", "images"), ("images: {", "can't be read"), ("", "(the document)")],
)
def test_a_wrong_platform_config_names_the_key(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(settings.SettingsError, match=r"platform\.yaml") as caught:
        settings.read(environment(tmp_path, text))

    assert named in str(caught.value)


def test_a_missing_platform_config_says_which_variable_to_set(tmp_path: Path) -> None:
    with pytest.raises(settings.SettingsError, match="set ACME_PLATFORM_CONFIG"):
        settings.read({"ACME_PLATFORM_CONFIG": str(tmp_path / "nowhere.yaml")})


def test_a_port_that_is_no_number_is_named(tmp_path: Path) -> None:
    with pytest.raises(settings.SettingsError, match="ACME_HTTP_PORT"):
        settings.read(environment(tmp_path, "images: {}", ACME_HTTP_PORT="http"))
