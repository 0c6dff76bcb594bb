"""Makes the messages and stubs of src/callgrade/v1 from proto/: ``stubs.py [FOLDER]``, which is that folder unless told otherwise.

Needs grpcio-tools. What is committed is what this makes; a test compares them.
"""

import ast
import sys
from pathlib import Path

import grpc_tools
from grpc_tools import protoc

HERE = Path(__file__).resolve().parent
PROTO = HERE.parent / "proto"
WELL_KNOWN = Path(grpc_tools.__file__).parent / "_proto"

HEAD = '''"""The messages of callgrade.v1, and the stubs of its services. Made by stubs.py; the protos say what each field means."""

'''


def public(module: Path) -> list[str]:
    """What a module defines for others: messages, enums and their values; of a module of services the stubs."""
    names = []
    for node in ast.parse(module.read_text(encoding="utf-8")).body:
        match node:
            case ast.ClassDef(name=name):
                names.append(name)
            case ast.AnnAssign(target=ast.Name(id=name)) if name != "DESCRIPTOR":
                names.append(name)
    stubs = module.name.endswith("_grpc.py")
    return sorted(name for name in names if not name.startswith("_") and (not stubs or name.endswith("Stub")))


def make(folder: Path) -> None:
    """Makes the package ``callgrade.v1`` in a folder, which stands for ``src/callgrade/v1``."""
    sources = sorted(str(path.relative_to(PROTO)) for path in PROTO.glob("callgrade/v1/*.proto"))
    root = folder.parent.parent
    outputs = [f"--python_out={root}", f"--pyi_out={root}", f"--grpc_python_out={root}"]
    folder.mkdir(parents=True, exist_ok=True)
    if code := protoc.main(["protoc", f"-I{PROTO}", f"-I{WELL_KNOWN}", *outputs, *sources]):
        sys.exit(code)
    lines, exported = [], []
    for path in sorted([*folder.glob("*_pb2.pyi"), *folder.glob("*_pb2_grpc.py")]):
        names = public(path)
        if names:
            lines += [f"from callgrade.v1.{path.stem} import (", *(f"    {name}," for name in names), ")"]
            exported += names
    lines += ["", "__all__ = [", *(f'    "{name}",' for name in sorted(exported)), "]", ""]
    (folder / "__init__.py").write_text(HEAD + "\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    make(Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else HERE / "src/callgrade/v1")
