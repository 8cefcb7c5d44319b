"""The gRPC stubs on disk are what the protos give."""

import sys
from pathlib import Path

import pytest

SERVICES = Path(__file__).parents[2] / "services"


def _files(root: Path) -> dict[str, str]:
    found = (path for path in root.rglob("*") if path.is_file() and path.suffix in {".py", ".pyi"})
    return {str(path.relative_to(root)): path.read_text() for path in found}


def test_the_stubs_on_disk_are_what_the_protos_give(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(SERVICES))
    from generate import generate  # noqa: PLC0415 - a script beside the sources, on the path for this test only

    generate(tmp_path)
    fresh, on_disk = _files(tmp_path), _files(SERVICES / "gen")
    sys.modules.pop("generate")

    assert sorted(on_disk) == sorted(fresh), "stale: run `make gen` and commit what it changed"
    assert [name for name in fresh if fresh[name] != on_disk[name]] == [], "stale: run `make gen`"
