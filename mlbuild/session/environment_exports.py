"""`mlbuild env kernel` and `mlbuild env oci`: an environment where other programs find it."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mlbuild.diagnostics import ExitCode, fail
from mlbuild.files.made_folder import make_folder

if TYPE_CHECKING:
    from mlbuild.config import BuildRequest
    from mlbuild.environments import Contents
    from mlbuild.session.rooms import Rooms
    from mlbuild.terms import TreeValue

KERNEL_PACKAGE = "ipykernel"
KERNEL_MARK = "mlbuild"

_WITHIN = 'case "$PWD/" in "$0"/*) ;; *) cd "$0" ;; esac; exec "$@"'
"""A kernel starts in the notebook's folder; where that is outside of the workspace (`$0`), in the workspace."""


def write_kernel(about: Contents, request: BuildRequest) -> str:
    """Writes a Jupyter kernel that runs in the environment as it is when the kernel starts; returns its folder.

    Raises UserError for an environment that lacks what a kernel is made of.
    """
    if KERNEL_PACKAGE not in about.packages:
        raise fail(
            "no-kernel",
            f"`{about.label}` has no `{KERNEL_PACKAGE}`, which a Jupyter kernel is made of",
            hint=f"add `{KERNEL_PACKAGE}` to its requirements, and run `mlbuild lock`",
            exit_code=ExitCode.BUILD_FAILED,
        )
    name = "mlbuild-" + re.sub(r"[^a-z0-9]+", "-", f"{request.workspace.name}{about.label}".lower()).strip("-")
    place = _jupyter_folder(request) / "kernels" / name
    command = [sys.executable, "-P", "-m", "mlbuild", "run", "--noshow_progress", about.label, "--"]
    kernel = {
        "argv": [
            "/bin/sh", "-c", _WITHIN, str(request.workspace), *command,
            "python", "-m", "ipykernel_launcher", "-f", "{connection_file}",
        ],
        "display_name": f"{about.label} ({request.workspace.name})",
        "language": "python",
        # mlbuild stands between: it passes on no Ctrl-C, as there is a terminal that does it otherwise.
        "interrupt_mode": "message",
        "metadata": {KERNEL_MARK: {"environment": about.label, "workspace": str(request.workspace)}},
    }  # fmt: skip

    def write(new: Path) -> None:
        (new / "kernel.json").write_text(json.dumps(kernel, indent=2) + "\n", encoding="utf-8")

    try:
        place.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise fail(
            "cannot-write", f"`{place.parent}` cannot be made: {error.strerror}", exit_code=ExitCode.ENVIRONMENT
        ) from None
    make_folder(place, lambda there: KERNEL_MARK in _metadata(there), write)
    return f"{kernel['display_name']}: {place}"


def write_image(about: Contents, wheels: TreeValue | None, place: Path, rooms: Rooms) -> str:
    """Writes an OCI layout; returns what there is to say of it. Raises UserError, BlobMissing."""
    from mlbuild.environments.image import ENVIRONMENT, Blob, Layer, image, layers_of, write_layer

    said: list[str] = []
    layers = layers_of(about, None if wheels is None else wheels.digest, rooms.store.get)

    def write(new: Path) -> None:
        blobs = new / "blobs" / "sha256"
        blobs.mkdir(parents=True)
        written: list[tuple[Layer, Blob]] = []
        for number, layer in enumerate(layers):
            part = new / f"layer{number}"
            with part.open("xb") as out:
                blob = write_layer(layer, out, rooms.store.get, rooms.store.open)
            part.rename(blobs / blob.sha256)
            written.append((layer, blob))
        whole = image(about, tuple(written), os.uname().machine)
        for path, data in whole.files.items():
            (new / path).write_bytes(data)
        said.append(
            f"{len(written)} layer{'' if len(written) == 1 else 's'}, {json.loads(whole.files['index.json'])['manifests'][0]['digest']}"
        )

    make_folder(place, lambda there: ENVIRONMENT in _annotations(there), write)
    return said[0]


def _jupyter_folder(request: BuildRequest) -> Path:
    """Where Jupyter looks for a user's kernels."""
    environ = request.environ
    if named := environ.get("JUPYTER_DATA_DIR"):
        return Path(named)
    data = environ.get("XDG_DATA_HOME") or f"{environ.get('HOME', str(request.workspace))}/.local/share"
    return Path(data) / "jupyter"


def _metadata(place: Path) -> dict[str, object]:
    return _inner(place / "kernel.json", "metadata")


def _annotations(place: Path) -> dict[str, object]:
    manifests = _inner(place / "index.json", "").get("manifests")
    first = manifests[0] if isinstance(manifests, list) and manifests else {}
    found = first.get("annotations") if isinstance(first, dict) else None
    return found if isinstance(found, dict) else {}


def _inner(path: Path, key: str) -> dict[str, object]:
    """What a JSON file has under a key, or all of it: nothing, if it is no such file."""
    try:
        found: object = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    if key and isinstance(found, dict):
        found = found.get(key)
    return found if isinstance(found, dict) else {}
