"""The rooms hold: imports, file and function sizes, and nothing that would break the source roots."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted(
    path
    for room in ("operator", "services/acme_services", "config/local", "tests")
    for path in (ROOT / room).rglob("*.py")
    if "__pycache__" not in path.parts
)


def test_every_import_keeps_to_the_contracts() -> None:
    lint = Path(sys.executable).with_name("lint-imports")

    result = subprocess.run(
        [lint, "--no-cache"], cwd=ROOT, env=_environment(), capture_output=True, text=True, check=False
    )

    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-1000:]


def _environment() -> dict[str, str]:
    roots = ("operator", "services", "services/gen", "config/local")
    return {"PYTHONPATH": ":".join(str(ROOT / root) for root in roots), "PATH": "/usr/bin:/bin"}


def test_source_roots_are_not_packages() -> None:
    # `operator/__init__.py` would shadow the standard library's operator module for everybody.
    roots = ("operator", "services", "config", "config/local", "tests")

    assert not [root for root in roots if (ROOT / root / "__init__.py").exists()]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_file_is_longer_than_400_lines(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 400


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_function_is_longer_than_its_limit(path: Path) -> None:
    limit = 60 if "tests" in path.parts else 40
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    tree = ast.parse(path.read_text())

    long = [node.name for node in ast.walk(tree) if isinstance(node, functions) and _lines(node) > limit]

    assert not long


def _lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in SOURCES
        if "tests" not in path.parts
        and path.read_text().strip()
        and ast.get_docstring(ast.parse(path.read_text())) is None
    ]

    assert not silent
