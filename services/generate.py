"""Generates services/gen from services/proto; `python services/generate.py` rewrites the stubs, and does nothing else.

Besides protoc's own output it writes typed stubs (.pyi) for the gRPC modules, because protoc leaves those untyped.
"""

import argparse
import shutil
from importlib.resources import files
from pathlib import Path

from google.protobuf.descriptor_pb2 import (
    FileDescriptorProto,
    FileDescriptorSet,
    MethodDescriptorProto,
    ServiceDescriptorProto,
)
from grpc_tools import protoc

_ROOT = Path(__file__).parent
_PROTO = _ROOT / "proto"
_PACKAGE = "acme_rpc"


def main() -> None:
    """Generate into `--out`, services/gen by default; whatever was generated there before is replaced."""
    parser = argparse.ArgumentParser(description="generate the gRPC stubs from services/proto")
    parser.add_argument("--out", type=Path, default=_ROOT / "gen", help="folder of the acme_rpc package")
    generate(parser.parse_args().out)


def generate(out: Path) -> None:
    """Write the acme_rpc package below `out`; raises RuntimeError when protoc refuses a proto."""
    shutil.rmtree(out / _PACKAGE, ignore_errors=True)
    out.mkdir(parents=True, exist_ok=True)
    descriptors = out / "descriptors.pb"
    _compile(out, descriptors)
    described = FileDescriptorSet.FromString(descriptors.read_bytes())
    descriptors.unlink()
    for file in described.file:
        calls = out / f"{file.name.removesuffix('.proto')}_pb2_grpc.py"
        if file.service:
            calls.with_suffix(".pyi").write_text(_typed_module(file))
        else:
            calls.unlink()  # protoc writes an empty module for a proto that has messages only
    for folder in sorted({path.parent for path in out.glob(f"{_PACKAGE}/**/*.py")} | {out / _PACKAGE}):
        _mark_packages(folder, out)


def _compile(out: Path, descriptors: Path) -> None:
    arguments = [
        "protoc",
        f"--proto_path={_PROTO}",
        f"--proto_path={files('grpc_tools') / '_proto'}",
        f"--python_out={out}",
        f"--pyi_out={out}",
        f"--grpc_python_out={out}",
        f"--descriptor_set_out={descriptors}",
        *sorted(str(path.relative_to(_PROTO)) for path in _PROTO.rglob("*.proto")),
    ]
    if protoc.main(arguments):
        raise RuntimeError("protoc refused services/proto; its message stands above")


def _mark_packages(folder: Path, out: Path) -> None:
    while folder != out:
        (folder / "__init__.py").touch()
        folder = folder.parent


def _typed_module(file: FileDescriptorProto) -> str:
    module = Path(file.name).stem + "_pb2"
    package = str(Path(file.name).parent).replace("/", ".")
    head = f"import grpc\nimport grpc.aio\n\nfrom {package} import {module}\n"
    return head + "".join(_typed_service(service, file.package, module) for service in file.service)


def _typed_service(service: ServiceDescriptorProto, package: str, module: str) -> str:
    calls = [_types(method, package, module) for method in service.method]
    stub = "".join(f"    {name}: grpc.aio.UnaryUnaryMultiCallable[{asked}, {given}]\n" for name, asked, given in calls)
    servicer = "".join(
        f"    async def {name}(\n        self, request: {asked}, context: grpc.aio.ServicerContext[{asked}, {given}]\n"
        f"    ) -> {given}: ...\n"
        for name, asked, given in calls
    )
    return (
        f"\nclass {service.name}Stub:\n    def __init__(self, channel: grpc.aio.Channel) -> None: ...\n{stub}"
        f"\nclass {service.name}Servicer:\n{servicer}"
        f"\ndef add_{service.name}Servicer_to_server(servicer: {service.name}Servicer, server: grpc.aio.Server)"
        " -> None: ...\n"
    )


def _types(method: MethodDescriptorProto, package: str, module: str) -> tuple[str, str, str]:
    if method.client_streaming or method.server_streaming:
        raise RuntimeError(f"{method.name} streams: this generator knows unary calls only")
    asked, given = (name.removeprefix(f".{package}.") for name in (method.input_type, method.output_type))
    return method.name, f"{module}.{asked}", f"{module}.{given}"


if __name__ == "__main__":
    main()
