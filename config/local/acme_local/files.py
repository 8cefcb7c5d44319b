"""Writing a file only when its content changes: daemons watch theirs, and restart for nothing otherwise."""

from pathlib import Path


def keep(path: Path, text: str, mode: int = 0o644) -> Path:
    """Have `path` with this text; whoever reads the old file meanwhile keeps a whole one."""
    if path.exists() and path.read_text() == text:
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.touch(mode=mode)
    temporary.write_text(text)
    temporary.replace(path)
    return path
