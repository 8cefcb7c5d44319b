"""An image is made again when something it is made from has changed, and only then."""

from pathlib import Path

import pytest

from acme_local import buildah, images
from acme_local.images import Built


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "source"
    (folder / "code" / "__pycache__").mkdir(parents=True)
    (folder / "Dockerfile").write_text("FROM scratch")
    (folder / "code" / "main.py").write_text("print()")
    return folder


APP = Built("localhost/app:dev", "Dockerfile", ["code"], "app")


def recipe(repository: Path, image: Built = APP) -> str:
    return images.recipe(image, repository)


def test_code_dockerfile_mode_and_stage_each_change_the_recipe(repository: Path) -> None:
    seen = [recipe(repository), recipe(repository, Built(APP.name, APP.dockerfile, APP.sources, "other"))]
    (repository / "code" / "main.py").write_text("print(1)")
    seen.append(recipe(repository))
    (repository / "Dockerfile").write_text("FROM scratch AS app")
    seen.append(recipe(repository))
    (repository / "code" / "main.py").chmod(0o755)
    seen.append(recipe(repository))

    assert len(set(seen)) == len(seen)


def test_bytecode_and_files_outside_the_sources_do_not(repository: Path) -> None:
    before = recipe(repository)

    (repository / "code" / "__pycache__" / "main.cpython-313.pyc").write_bytes(b"x")
    (repository / "README.md").write_text("read me")

    assert recipe(repository) == before


def test_an_image_with_the_same_recipe_is_left_alone(repository: Path, tmp_path: Path) -> None:
    program = tmp_path / "app"
    program.write_bytes(b"stands for the real one")
    images.layout().add_binary(APP.name, program)
    images.layout().note_recipe(APP.name, recipe(repository))

    assert images.build(APP, repository) is False


def test_another_base_makes_every_image_anew(repository: Path, tmp_path: Path) -> None:
    before = recipe(repository)
    program = tmp_path / "debian"
    program.write_bytes(b"stands for another base")

    images.layout().add_binary(buildah.BASE, program)

    assert recipe(repository) != before


def test_every_source_of_every_image_exists() -> None:
    root = Path(images.__file__).resolve().parents[3]

    missing = [path for image in images.DOCKERFILES for path in image.sources if not (root / path).exists()]

    assert missing == []
