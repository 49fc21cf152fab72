"""An environment as an image that container tools read: layers as tar archives, and the JSON around them.

The bytes depend on the environment alone: members are sorted, of one time and one owner, and nothing is compressed, because
two versions of a compressor give unlike bytes. Source: the OCI image format specification 1.1, and its image layout.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Mapping
from typing import BinaryIO

from mlbuild.environments.contents import Contents, Read, folder
from mlbuild.records import record
from mlbuild.terms import Digest

LAYOUT = b'{"imageLayoutVersion": "1.0.0"}'
ENVIRONMENT = "mlbuild.environment"
"""The annotation that names the environment, and shows that the layout is ours."""

_TIME = 315619200  # 2 January 1980, as everywhere else in an environment
_PACKAGES = "python-packages"
_MOST_LAYERS = 100
"""Container tools stack up to 127 layers; somebody may want to put some more on top."""

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_INTERPRETER = ("/python/lib/ld.so", "--library-path", "/python/lib", "/python/bin/python3", "-s", "-B")

Open = Callable[[Digest], BinaryIO]


@record
class Layer:
    """What one layer adds: trees by their path in the image, links by theirs, and empty folders that anybody may write to."""

    about: str
    trees: Mapping[str, Digest]
    links: Mapping[str, str]
    open_folders: tuple[str, ...] = ()


@record
class Blob:
    """A part of the image by its digest."""

    sha256: str
    size: int


@record
class Image:
    """The small files of a layout, by path; the layers are written by themselves."""

    files: Mapping[str, bytes]


def layers_of(environment: Contents, wheels: Digest | None, read: Read) -> tuple[Layer, ...]:
    """The interpreter first: many environments have it in common. Then a layer for each package, as far as container tools go.

    `wheels` is the folder that has a tree of each package: laid over each other, they are the packages of the environment.
    """
    python = Layer(
        f"python {environment.python}",
        {"python": environment.interpreter_tree},
        {"lib": "python/lib", "lib64": "python/lib"},
        ("tmp",),
    )
    if environment.packages_tree is None:
        return (python,)
    each = () if wheels is None else folder(wheels, read).directories
    if not 0 < len(each) <= _MOST_LAYERS:
        return (python, Layer("packages", {_PACKAGES: environment.packages_tree}, {}))
    return (python, *(Layer(wheel.name, {_PACKAGES: wheel.digest}, {}) for wheel in each))


def write_layer(layer: Layer, out: BinaryIO, read: Read, open_blob: Open) -> Blob:
    """Writes the layer's archive. Raises BlobMissing."""
    hashing = _Hashing(out)
    with tarfile.open(fileobj=hashing, mode="w|", format=tarfile.PAX_FORMAT) as archive:
        for name in layer.open_folders:
            archive.addfile(_member(name, tarfile.DIRTYPE, 0o1777))
        for name, target in sorted(layer.links.items()):
            archive.addfile(_link(name, target))
        for name, digest in sorted(layer.trees.items()):
            _add_tree(archive, name, digest, read, open_blob)
    return Blob(hashing.hasher.hexdigest(), hashing.size)


def image(environment: Contents, layers: tuple[tuple[Layer, Blob], ...], machine: str) -> Image:
    """What is around the layers: configuration, manifest and index."""
    config = _json(
        {
            "architecture": _ARCHITECTURES.get(machine, machine),
            "os": "linux",
            "config": {
                "Env": [f"{name}={text}" for name, text in environment.variables.items()],
                "Entrypoint": list(_INTERPRETER),
                "WorkingDir": "/tmp",
            },
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{blob.sha256}" for _, blob in layers]},
            "history": [{"created_by": "mlbuild", "comment": layer.about} for layer, _ in layers],
        }
    )
    manifest = _json(
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": _descriptor("application/vnd.oci.image.config.v1+json", _blob(config)),
            "layers": [_descriptor("application/vnd.oci.image.layer.v1.tar", blob) for _, blob in layers],
        }
    )
    described = _descriptor("application/vnd.oci.image.manifest.v1+json", _blob(manifest))
    described["annotations"] = {
        ENVIRONMENT: environment.label,
        "org.opencontainers.image.ref.name": "latest",
    }
    index = _json(
        {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [described]}
    )
    return Image(
        {
            "oci-layout": LAYOUT,
            "index.json": index,
            f"blobs/sha256/{_blob(config).sha256}": config,
            f"blobs/sha256/{_blob(manifest).sha256}": manifest,
        }
    )


class _Hashing(io.RawIOBase):
    """A stream that knows what went through it."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self.hasher = hashlib.sha256()
        self.size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self._out.write(data)
        self.hasher.update(data)
        self.size += len(data)
        return len(data)


def _add_tree(archive: tarfile.TarFile, place: str, root: Digest, read: Read, open_blob: Open) -> None:
    waiting = [(place, root)]
    while waiting:
        path, digest = waiting.pop()
        directory = folder(digest, read)
        archive.addfile(_member(path, tarfile.DIRTYPE, 0o755))
        for file in directory.files:
            member = _member(f"{path}/{file.name}", tarfile.REGTYPE, 0o755 if file.is_executable else 0o644)
            member.size = file.digest.size
            with open_blob(file.digest) as content:
                archive.addfile(member, content)
        for link in directory.symlinks:
            archive.addfile(_link(f"{path}/{link.name}", link.target))
        waiting += [(f"{path}/{child.name}", child.digest) for child in reversed(directory.directories)]


def _member(name: str, kind: bytes, mode: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.mode, member.mtime = kind, mode, _TIME
    return member


def _link(name: str, target: str) -> tarfile.TarInfo:
    member = _member(name, tarfile.SYMTYPE, 0o777)
    member.linkname = target
    return member


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def _blob(data: bytes) -> Blob:
    return Blob(hashlib.sha256(data).hexdigest(), len(data))


def _descriptor(media_type: str, blob: Blob) -> dict[str, object]:
    return {"mediaType": media_type, "digest": f"sha256:{blob.sha256}", "size": blob.size}
