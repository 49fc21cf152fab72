"""An authority of the test's own, with a certificate for 127.0.0.1 and one for a client."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest


def certificates(folder: Path, name: str = "IP:127.0.0.1", days: int = 2) -> Path:
    """`ca.pem`, `server.pem`, `server.key`, `client.pem`, `client.key` in the folder."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    folder.mkdir(parents=True)
    openssl(
        folder, "req", "-x509", *KEY, "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=ca"
    )
    for who in ("server", "client"):
        openssl(folder, "req", *KEY, "-nodes", "-keyout", f"{who}.key", "-out", f"{who}.csr", "-subj", f"/CN={who}")
        (folder / "ext").write_text(f"subjectAltName={name}\n", encoding="ascii")
        openssl(folder, "x509", "-req", "-in", f"{who}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                "-out", f"{who}.pem", "-days", str(days), "-extfile", "ext")  # fmt: skip
    return folder


KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")


def openssl(folder: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True, timeout=30)
