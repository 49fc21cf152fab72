from __future__ import annotations

import json

import pytest

from mlbuild.fetch.index import PackageFile, parse_page, version_in

A = "a" * 64
URL = "https://me:pw@host.example/simple/six/"


def test_an_html_page_gives_files_with_absolute_addresses() -> None:
    page = f"""<!DOCTYPE html><html><body><a href="../../files/six-1.0.tar.gz#sha256={A.upper()}">six</a>
      <a href="https://cdn.example/six-1.0-py3-none-any.whl#md5=1">six</a><a href="../">up</a><a>none</a></body>"""
    assert parse_page(page.encode(), "text/html", URL) == (
        PackageFile("six-1.0.tar.gz", "https://me:pw@host.example/files/six-1.0.tar.gz", A),
        PackageFile("six-1.0-py3-none-any.whl", "https://cdn.example/six-1.0-py3-none-any.whl", None),
    )


def test_a_json_page_gives_the_same() -> None:
    files = [
        {"filename": "six-1.0.tar.gz", "url": "/f/six-1.0.tar.gz", "hashes": {"sha256": A}},
        {"filename": "six-1.1.tar.gz", "url": "https://cdn.example/six-1.1.tar.gz", "hashes": {}},
        {"filename": 3},
    ]
    assert parse_page(json.dumps({"files": files}).encode(), "application/vnd.pypi.simple.v1+json", URL) == (
        PackageFile("six-1.0.tar.gz", "https://me:pw@host.example/f/six-1.0.tar.gz", A),
        PackageFile("six-1.1.tar.gz", "https://cdn.example/six-1.1.tar.gz", None),
    )


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"files": 1}', b"\xff"])
def test_a_page_that_is_none_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError):
        parse_page(content, "application/vnd.pypi.simple.v1+json", URL)


@pytest.mark.parametrize(
    ("filename", "package", "version"),
    [
        ("Flask_SQLAlchemy-2.5.1-py2.py3-none-any.whl", "flask-sqlalchemy", "2.5.1"),
        ("flask-sqlalchemy-2.5.1.tar.gz", "Flask.SQLAlchemy", "2.5.1"),
        ("flask-sqlalchemy-2.5.1.tar.gz", "flask", None),
        ("six-1.0.zip", "six", "1.0"),
        ("six-1.0.exe", "six", None),
    ],
)
def test_a_file_name_says_its_version(filename: str, package: str, version: str | None) -> None:
    assert version_in(filename, package) == version
