"""What is compiled is named after everything that decides its bytes."""

from dataclasses import replace
from pathlib import Path

import pytest

from acme_local import builds, caches, programs
from acme_local.builds import Program

PINNED = Program("tool", ["tool"], packages=["example.com/tool@v1.0.0"])


def test_another_version_or_flag_is_another_folder() -> None:
    others = [replace(PINNED, packages=["example.com/tool@v1.0.1"]), replace(PINNED, ldflags="-s")]

    assert len({builds.folder(each) for each in [PINNED, *others]}) == 3


def test_the_sources_of_a_module_of_ours_decide_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builds, "_SOURCES", tmp_path)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "main.go").write_text("package main")
    before = builds.digest(Program("mine", ["mine"], source="mine"))

    (tmp_path / "mine" / "main.go").write_text("package main // changed")

    assert builds.digest(Program("mine", ["mine"], source="mine")) != before


def test_what_is_in_the_cache_is_not_compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    builds.folder(PINNED).mkdir(parents=True)

    assert builds.build(PINNED) == builds.folder(PINNED)


def test_every_package_is_pinned_to_a_version() -> None:
    assert all("@v" in package for program in programs.ALL for package in program.packages)


def test_pruning_finds_earlier_pins_and_spares_the_current_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for program in programs.ALL:
        builds.folder(program).mkdir(parents=True)
    old = tmp_path / "acme" / "containerd-0123456789ab"
    old.mkdir()
    (tmp_path / "acme" / "containerd-of-somebody").mkdir()

    assert caches.stale_programs() == [old]
