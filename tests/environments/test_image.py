"""An environment as an OCI image: what the specification asks of a layout holds, and the bytes are always the same."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile

import pytest

from mlbuild.environments import contents
from mlbuild.environments.image import Blob, Image, Layer, image, layers_of, write_layer
from mlbuild.store import MemoryStore
from tests.environments.test_contents import tree

INTERPRETER = {"bin/python3": "an interpreter", "lib/ld.so": "a loader", "lib/python3.11/os.py": "import sys\n"}
WHEELS = {"names-2.0": {f"{'long/' * 60}name.py": ""}, "words-1.0": {"words.py": "WORD = 1\n"}}
PACKAGES = {path: text for files in WHEELS.values() for path, text in files.items()}


def made(*, with_wheels: bool = True) -> tuple[Image, dict[str, bytes]]:
    """An image of a small environment, and its layers by digest."""
    store = MemoryStore()
    parts = {f"{wheel}/{path}": text for wheel, files in WHEELS.items() for path, text in files.items()}
    wheels = tree(store, parts).digest if with_wheels else None
    about = contents(
        "//envs:train", "python 3.11.7\n", {"LANG": "C.UTF-8", "PATH": "/python/bin"},
        tree(store, INTERPRETER), tree(store, PACKAGES), None, store.get,
    )  # fmt: skip
    layers: list[tuple[Layer, Blob]] = []
    found: dict[str, bytes] = {}
    for layer in layers_of(about, wheels, store.get):
        out = io.BytesIO()
        blob = write_layer(layer, out, store.get, store.open)
        found[blob.sha256] = out.getvalue()
        layers.append((layer, blob))
    return image(about, tuple(layers), "x86_64"), found


def read(files: dict[str, bytes], described: dict[str, object]) -> bytes:
    """What a descriptor names, checked as a client does."""
    digest, size = str(described["digest"]), described["size"]
    data = files[f"blobs/{digest.replace(':', '/')}"]
    assert (f"sha256:{hashlib.sha256(data).hexdigest()}", len(data)) == (digest, size)
    return data


def test_an_image_is_read_back_from_its_index() -> None:
    whole, layers = made()
    files = dict(whole.files) | {f"blobs/sha256/{name}": data for name, data in layers.items()}
    assert json.loads(files["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}
    (described,) = json.loads(files["index.json"])["manifests"]
    assert described["annotations"]["mlbuild.environment"] == "//envs:train"
    manifest = json.loads(read(files, described))
    assert (manifest["schemaVersion"], manifest["mediaType"]) == (2, described["mediaType"])
    config = json.loads(read(files, manifest["config"]))
    assert (config["os"], config["architecture"]) == ("linux", "amd64")
    assert config["config"]["Env"] == ["LANG=C.UTF-8", "PATH=/python/bin"]
    # The layers are not compressed: what they are when unpacked is what they are.
    assert config["rootfs"] == {"type": "layers", "diff_ids": [layer["digest"] for layer in manifest["layers"]]}
    assert len(config["history"]) == len(manifest["layers"]) == 3
    assert [each["comment"] for each in config["history"]] == ["python 3.11.7", "names-2.0", "words-1.0"]
    found: dict[str, bytes | str] = {}
    for layer in manifest["layers"]:
        with tarfile.open(fileobj=io.BytesIO(read(files, layer))) as archive:
            for member in archive:
                assert (member.mtime, member.uid, member.gid, member.uname, member.gname) == (315619200, 0, 0, "", "")
                if member.issym():
                    found[member.name] = f"-> {member.linkname}"
                elif member.isreg():
                    content = archive.extractfile(member)
                    assert content is not None
                    found[member.name] = content.read()
    assert found == {
        "lib": "-> python/lib",
        "lib64": "-> python/lib",
        **{f"python/{path}": text.encode() for path, text in INTERPRETER.items()},
        **{f"python-packages/{path}": text.encode() for path, text in PACKAGES.items()},
    }


def test_the_same_environment_gives_the_same_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    first = made()
    monkeypatch.setattr("time.time", lambda: 4e9)
    assert made() == first


def test_a_folder_comes_before_what_is_in_it() -> None:
    _, layers = made()
    for data in layers.values():
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            seen: set[str] = {""}
            for member in archive:
                assert member.name.rpartition("/")[0] in seen
                seen.add(member.name)


def test_the_same_interpreter_and_package_are_the_same_layers_in_other_environments() -> None:
    _, with_wheels = made()
    _, without = made(with_wheels=False)
    assert len(with_wheels) == 3
    assert len(without) == 2
    assert len(with_wheels.keys() & without.keys()) == 1
