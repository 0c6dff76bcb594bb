"""The package itself: what is generated, what is shipped, what it needs."""

import re
import subprocess
import sys
import zipfile

import pytest
from calls import ROOT

V1 = ROOT / "python/src/callgrade/v1"


def test_the_stubs_are_what_the_protos_give(tmp_path):
    folder = tmp_path / "callgrade/v1"
    subprocess.run([sys.executable, str(ROOT / "python/stubs.py"), str(folder)], check=True)
    made = {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}
    there = {path.name: path.read_text(encoding="utf-8") for path in V1.iterdir() if path.is_file()}
    assert made.keys() == there.keys(), "make python-stubs"
    assert [name for name in made if made[name] != there[name]] == [], "make python-stubs"
    assert len(made) >= 3 * len(list(ROOT.glob("proto/callgrade/v1/*.proto"))) + 1


def test_the_package_asks_for_what_its_stubs_need():
    """Generated code refuses libraries older than itself."""
    project = (ROOT / "python/pyproject.toml").read_text(encoding="utf-8")
    (grpc,) = {re.search(r"GRPC_GENERATED_VERSION = '(.+)'", path.read_text())[1] for path in V1.glob("*_pb2_grpc.py")}
    (protobuf,) = {re.search(r"# Protobuf Python Version: (.+)", path.read_text())[1] for path in V1.glob("*_pb2.py")}
    assert f'"grpcio>={grpc}"' in project and f'"protobuf>={protobuf},<{int(protobuf.split(".")[0]) + 1}"' in project


def test_the_version_is_the_programs():
    versions = [
        re.search(r'^version = "(.+)"$', (ROOT / file).read_text(encoding="utf-8"), re.M)[1]
        for file in ("Cargo.toml", "python/pyproject.toml")
    ]
    assert versions[0] == versions[1]


def test_what_is_installed(tmp_path):
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
    ]
    subprocess.run([*command, "-w", str(tmp_path), str(ROOT / "python")], check=True)
    (wheel,) = tmp_path.glob("callgrade-*-py3-none-any.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    source = {
        str(path.relative_to(ROOT / "python/src")) for path in (ROOT / "python/src").rglob("*") if path.is_file() and path.suffix != ".pyc"
    }
    assert source <= names and "callgrade/py.typed" in names
    assert {name for name in names if not name.startswith("callgrade/")} == {name for name in names if ".dist-info/" in name}


@pytest.mark.parametrize(
    ("module", "without"),
    [
        ("callgrade", "grpc google pyarrow pyspark"),
        ("callgrade.arrow", "grpc google pyspark"),
        ("callgrade.spark", "grpc google pyspark"),
        ("callgrade.client", "pyarrow pyspark pandas"),
    ],
)
def test_what_is_not_used_need_not_be_there(module, without):
    program = f"import sys\nfor name in {without.split()!r}: sys.modules[name] = None\nimport {module}"
    subprocess.run([sys.executable, "-c", program], check=True, env={"PYTHONPATH": str(ROOT / "python/src")})


def test_the_documentation_is_true():
    """The examples in docstrings that need no server."""
    done = subprocess.run(
        [sys.executable, "-m", "doctest", str(ROOT / "python/src/callgrade/events.py")],
        check=False,
        env={"PYTHONPATH": str(ROOT / "python/src"), "PYTHONUTF8": "1"},
    )
    assert done.returncode == 0


def test_types_and_style():
    for command in (["mypy"], ["ruff", "check", ".", "../examples"], ["ruff", "format", "--check", ".", "../examples"]):
        done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT / "python", capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
