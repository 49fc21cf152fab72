"""A real nginx on a loopback port: a folder that answers GET and PUT, as how_to/share_a_remote_cache.md sets it up."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

CONFIGURATION = """
USER
daemon off;
pid nginx.pid;
error_log error.log warn;
events {}
http {
  access_log off;
  client_body_temp_path tmp;
  proxy_temp_path tmp/proxy; fastcgi_temp_path tmp/fcgi; uwsgi_temp_path tmp/uwsgi; scgi_temp_path tmp/scgi;
  client_max_body_size 0;
  server {
    listen 127.0.0.1:PORT;
    root cache;
    location ~ "^/(?:[\\w.-]+/)*(ac|cas)/[0-9a-f]{64}$" {
      dav_methods PUT;
      create_full_put_path on;
    }
    location / { return 404; }
  }
}
"""


@contextlib.contextmanager
def nginx(folder: Path) -> Iterator[str]:
    """Its address. Skips the test, by name, where there is no nginx."""
    import os

    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        pytest.skip("nginx is not installed (Debian: nginx-light)")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    (folder / "cache").mkdir(parents=True)
    (folder / "tmp").mkdir()
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(CONFIGURATION.replace("PORT", str(port)).replace("USER", user), encoding="utf-8")
    process = subprocess.Popen([program, "-p", str(folder), "-c", "nginx.conf"], stderr=subprocess.DEVNULL)
    try:
        wait_for(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def wait_for(port: int, process: subprocess.Popen[bytes], seconds: float = 20.0) -> None:
    """Until somebody listens."""
    end = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
            return
    raise AssertionError(f"nobody listens at {port}; the server ended with {process.poll()}")
