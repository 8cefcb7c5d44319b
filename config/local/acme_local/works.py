"""Compiling and making images side by side: the one waits for the processor, the other mostly for the network."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from acme_local import builds, images, programs
from acme_local.builds import Program
from acme_local.images import Built, Packed
from acme_local.steps import Progress


class Works:
    """Two lanes of work, each in its order; leaving the context waits for both."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._compiles = ThreadPoolExecutor(1, "compile")
        self._paints = ThreadPoolExecutor(1, "image")
        self._programs: dict[str, Future[Path]] = {}
        self._images: dict[str, Future[None]] = {}

    def __enter__(self) -> Self:
        for program in programs.ALL:
            self._programs[program.name] = self._compiles.submit(self._compile, program)
        self._images["base"] = self._paints.submit(self._paint, "base image", images.base)
        for built in images.DOCKERFILES:
            self._images[built.name] = self._paints.submit(self._build, built)
        for packed in images.BINARIES:
            self._images[packed.name] = self._paints.submit(self._pack, packed)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for lane in (self._compiles, self._paints):
            lane.shutdown(cancel_futures=error is not None)

    def program(self, program: Program) -> Path:
        """The folder of a program's binaries, once they are there."""
        return self._programs[program.name].result()

    def finish_images(self) -> None:
        """Return when every image is there, or raise what the first failure says."""
        for future in self._images.values():
            future.result()

    def _compile(self, program: Program) -> Path:
        if builds.folder(program).exists():
            return builds.folder(program)
        with self._progress.step(f"compile {program.name}"):
            return builds.build(program)

    def _build(self, image: Built) -> None:
        self._images["base"].result()
        self._paint(image.name, lambda: images.build(image))

    def _pack(self, image: Packed) -> None:
        self.program(image.program)
        images.pack(image)

    def _paint(self, name: str, make: Callable[[], bool]) -> None:
        began = self._progress.elapsed
        if make():
            self._progress.note(f"image {name}", began)
