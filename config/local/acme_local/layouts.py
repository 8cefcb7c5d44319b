"""An OCI image layout on disk: blobs by digest, images by name. Knows formats, runs nothing.

Layers stay uncompressed: they never leave the machine, and gzip would take longer than everything else about them.
"""

import hashlib
import io
import json
import platform
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from acme_local.failures import LocalError

_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar"
_NAME = "org.opencontainers.image.ref.name"
_IMPORT_NAME = "io.containerd.image.name"  # containerd takes this for the image's full name
_RECIPE = "dev.acme.recipe"  # a hash of what the image was made from
_HEADER = b'{"imageLayoutVersion":"1.0.0"}'

type Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Layout:
    """A folder in OCI image layout, shared by all images so that a common base is stored once."""

    folder: Path

    def digest(self, image: str) -> str | None:
        """The digest of the image's manifest; None where the layout lacks the image."""
        entry = self._entry(image)
        return str(entry["digest"]) if entry else None

    def recipe(self, image: str) -> str | None:
        """What `note_recipe` said of the image that is here now."""
        entry = self._entry(image)
        return entry.get("annotations", {}).get(_RECIPE) if entry else None

    def note_recipe(self, image: str, recipe: str) -> None:
        """Remember what the image was made from."""
        entry = self._entry(image)
        if entry is None:
            raise LocalError(f"{image} was built but is not in {self.folder}; remove that folder and try again")
        entry["annotations"] = {**entry["annotations"], _RECIPE: recipe}
        self._name(entry)

    def add_binary(self, image: str, binary: Path) -> None:
        """Add an image that holds one static program and runs it as uid 10001."""
        layer = self._put(_tar_of(binary))
        config = self._put(_json(_binary_config(binary.name, layer["digest"])))
        manifest = self._put(
            _json(
                {
                    "schemaVersion": 2,
                    "mediaType": _MANIFEST,
                    "config": {"mediaType": _CONFIG, **config},
                    "layers": [{"mediaType": _LAYER, **layer}],
                }
            )
        )
        self._name({"mediaType": _MANIFEST, **manifest, "annotations": {_NAME: image}})

    def write_archive(self, images: list[str], out: IO[bytes]) -> None:
        """Stream an OCI archive of the images, each blob once, in the form that `ctr images import` reads."""
        entries = [entry for image in images if (entry := self._entry(image))]
        for entry, image in zip(entries, images, strict=True):
            entry["annotations"] = {_IMPORT_NAME: image}
        with tarfile.open(fileobj=out, mode="w|") as archive:
            _add_bytes(archive, "oci-layout", _HEADER)
            _add_bytes(archive, "index.json", _json({"schemaVersion": 2, "manifests": entries}))
            for digest in sorted({digest for entry in entries for digest in self._reached(entry["digest"])}):
                path = self._blob(digest)
                archive.add(path, arcname=str(path.relative_to(self.folder)))

    def forget_unreached(self) -> int:
        """Remove the blobs that no image needs any more; the bytes freed are returned."""
        used = {digest for entry in self._index()["manifests"] for digest in self._reached(entry["digest"])}
        keep = {self._blob(digest) for digest in used}
        stale = [path for path in (self.folder / "blobs" / "sha256").glob("*") if path not in keep]
        freed = sum(path.stat().st_size for path in stale)
        for path in stale:
            path.unlink()
        return freed

    def _reached(self, digest: str) -> list[str]:
        manifest = json.loads(self._blob(digest).read_bytes())
        return [digest, manifest["config"]["digest"], *(layer["digest"] for layer in manifest["layers"])]

    def _entry(self, image: str) -> Document | None:
        for entry in self._index()["manifests"]:
            if entry.get("annotations", {}).get(_NAME) == image:
                return dict(entry)
        return None

    def _index(self) -> Document:
        try:
            document: Document = json.loads((self.folder / "index.json").read_text())
        except FileNotFoundError:
            return {"schemaVersion": 2, "manifests": []}
        return document

    def _name(self, entry: Document) -> None:
        index = self._index()
        name = entry["annotations"][_NAME]
        others = [each for each in index["manifests"] if each.get("annotations", {}).get(_NAME) != name]
        index["manifests"] = [*others, entry]
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "oci-layout").write_bytes(_HEADER)
        temporary = self.folder / ".index.json.tmp"
        temporary.write_bytes(_json(index))
        temporary.replace(self.folder / "index.json")

    def _put(self, content: bytes) -> Document:
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        path = self._blob(digest)
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            temporary = path.with_suffix(".tmp")
            temporary.write_bytes(content)
            temporary.replace(path)
        return {"digest": digest, "size": len(content)}

    def _blob(self, digest: str) -> Path:
        algorithm, _, value = digest.partition(":")
        return self.folder / "blobs" / algorithm / value


def _binary_config(name: str, layer: str) -> Document:
    return {
        "architecture": _architecture(),
        "os": "linux",
        "config": {"User": "10001:10001", "Entrypoint": [f"/{name}"], "WorkingDir": "/"},
        "rootfs": {"type": "layers", "diff_ids": [layer]},
    }


def _architecture() -> str:
    machine = platform.machine()
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)


def _tar_of(binary: Path) -> bytes:
    """One file in a tar whose bytes depend on nothing but the file."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for folder, mode in (("tmp", 0o1777), ("etc", 0o755)):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, mode
            archive.addfile(entry)
        entry = tarfile.TarInfo(binary.name)
        entry.mode, entry.size = 0o755, binary.stat().st_size
        with binary.open("rb") as content:
            archive.addfile(entry, content)
    return buffer.getvalue()


def _add_bytes(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))


def _json(document: Document) -> bytes:
    return json.dumps(document, sort_keys=True).encode()
