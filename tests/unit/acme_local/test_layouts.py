"""The OCI layout: images of one binary, archives with each blob once, and no blob kept for nothing."""

import hashlib
import io
import json
import tarfile
from pathlib import Path

import pytest

from acme_local.failures import LocalError
from acme_local.layouts import Layout


def binary(folder: Path, content: bytes) -> Path:
    path = folder / "program"
    path.write_bytes(content)
    return path


def archive(layout: Layout, *images: str) -> dict[str, bytes]:
    out = io.BytesIO()
    layout.write_archive(list(images), out)
    out.seek(0)
    with tarfile.open(fileobj=out) as opened:
        members = [(each.name, opened.extractfile(each)) for each in opened]
    return {name: content.read() for name, content in members if content}


def test_the_same_binary_gives_the_same_digest_wherever_it_is_packed(tmp_path: Path) -> None:
    digests = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        layout = Layout(tmp_path / name / "layout")
        layout.add_binary("localhost/a:dev", binary(tmp_path / name, b"code"))
        digests.append(layout.digest("localhost/a:dev"))

    assert digests[0] == digests[1] is not None


def test_an_archive_holds_what_the_index_names_and_every_blob_matches_its_digest(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "layout")
    layout.add_binary("localhost/a:dev", binary(tmp_path, b"code"))

    found = archive(layout, "localhost/a:dev")

    index = json.loads(found["index.json"])
    assert [each["annotations"] for each in index["manifests"]] == [{"io.containerd.image.name": "localhost/a:dev"}]
    blobs = {name: content for name, content in found.items() if name.startswith("blobs/sha256/")}
    assert len(blobs) == 3
    assert all(name.endswith(hashlib.sha256(content).hexdigest()) for name, content in blobs.items())


def test_a_packed_program_runs_as_nobody_in_particular(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "layout")
    layout.add_binary("localhost/a:dev", binary(tmp_path, b"code"))

    configs = [
        json.loads(content) for content in archive(layout, "localhost/a:dev").values() if content.startswith(b'{"arch')
    ]

    assert configs[0]["config"]["User"] == "10001:10001"
    assert configs[0]["config"]["Entrypoint"] == ["/program"]


def test_a_blob_that_two_images_share_is_streamed_once(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "layout")
    for name in ("localhost/a:dev", "localhost/b:dev"):
        layout.add_binary(name, binary(tmp_path, b"code"))
    out = io.BytesIO()

    layout.write_archive(["localhost/a:dev", "localhost/b:dev"], out)

    out.seek(0)
    names = tarfile.open(fileobj=out).getnames()  # noqa: SIM115  nothing outside memory is held
    assert len(names) == len(set(names))


def test_blobs_of_a_replaced_image_are_forgotten_and_no_others(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "layout")
    layout.add_binary("localhost/a:dev", binary(tmp_path, b"old"))
    layout.add_binary("localhost/a:dev", binary(tmp_path, b"new"))

    freed = layout.forget_unreached()

    assert freed > 0
    assert len(list((tmp_path / "layout/blobs/sha256").iterdir())) == 3
    assert archive(layout, "localhost/a:dev")


def test_the_recipe_is_remembered_until_the_image_is_made_anew(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "layout")
    layout.add_binary("localhost/a:dev", binary(tmp_path, b"old"))
    layout.note_recipe("localhost/a:dev", "first")
    assert layout.recipe("localhost/a:dev") == "first"

    layout.add_binary("localhost/a:dev", binary(tmp_path, b"new"))

    assert layout.recipe("localhost/a:dev") is None


def test_a_recipe_for_an_image_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="localhost/a:dev"):
        Layout(tmp_path).note_recipe("localhost/a:dev", "any")
