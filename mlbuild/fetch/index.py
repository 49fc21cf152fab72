"""What a package index says: the files of a package with their hashes. PEP 503 (HTML) and PEP 691 (JSON), web or folder."""

from __future__ import annotations

import json
import os
import re
import sys
import urllib.parse
from collections.abc import Iterator
from html.parser import HTMLParser

from mlbuild.diagnostics import fail
from mlbuild.fetch.download import LIMITS, Limits, NotThere, read
from mlbuild.fetch.lock import normal_name
from mlbuild.fetch.settings import IndexSettings, without_credentials
from mlbuild.fetch.uv import Uv
from mlbuild.records import record

_ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01"
_PAGE_BYTES = 256 << 20
_SUFFIXES = (".whl", ".tar.gz", ".zip", ".tar.bz2", ".tar.xz", ".tgz")


@record
class PackageFile:
    """One file that an index offers; `sha256` is nothing when the index does not say it."""

    name: str
    url: str
    sha256: str | None


def package_files(package: str, uv: Uv, limits: Limits = LIMITS) -> tuple[PackageFile, ...]:
    """Every file of the package, from all configured places in their order: folders, further indexes, the default index.

    Raises:
        UserError: if an index cannot be asked.
    """
    settings = uv.settings
    page_limits = Limits(_PAGE_BYTES, limits.seconds, limits.pauses)
    files: list[PackageFile] = []
    for place in settings.find_links:
        files += [each for each in _links(place, settings, page_limits) if _is_of(each.name, package)]
    if not settings.has_no_index:
        for index in (*settings.indexes, settings.default_index or _default_index(uv)):
            page = f"{_as_url(index).rstrip('/')}/{normal_name(package)}/"
            files += _page(page, settings, page_limits)
    return tuple(files)


def parse_page(content: bytes, media_type: str, url: str) -> tuple[PackageFile, ...]:
    """The files that a page of an index lists. Raises ValueError for a page that is none."""
    if media_type.endswith("json"):
        return _from_json(content, url)
    parser = _Anchors()
    parser.feed(content.decode("utf-8", errors="replace"))
    base = urllib.parse.urljoin(url, parser.base) if parser.base else url
    files = []
    for href in parser.links:
        address, _, fragment = urllib.parse.urljoin(base, href).partition("#")
        name = urllib.parse.unquote(urllib.parse.urlsplit(address).path.rpartition("/")[2])
        found = re.search(r"(?:\A|&)sha256=([0-9a-fA-F]{64})(?:&|\Z)", fragment)
        if name.endswith(_SUFFIXES):
            files.append(PackageFile(name, _same_user(url, address), found[1].lower() if found else None))
    return tuple(files)


def version_in(filename: str, package: str) -> str | None:
    """The version that a wheel's or sdist's file name says it is, or nothing when it is of another package."""
    if filename.endswith(".whl"):
        name, _, rest = filename.partition("-")
        return rest.partition("-")[0] if normal_name(name) == normal_name(package) else None
    stem = next((filename[: -len(suffix)] for suffix in _SUFFIXES[1:] if filename.endswith(suffix)), None)
    for found in re.finditer("-", stem or ""):
        if stem and normal_name(stem[: found.start()]) == normal_name(package) and stem[found.end() :][:1].isdigit():
            return stem[found.end() :]
    return None


def _from_json(content: bytes, url: str) -> tuple[PackageFile, ...]:
    page = json.loads(content)
    listed = page.get("files") if isinstance(page, dict) else None
    if not isinstance(listed, list):
        raise ValueError("no list of files")
    files = []
    for each in listed:
        if (
            not isinstance(each, dict)
            or not isinstance(each.get("filename"), str)
            or not isinstance(each.get("url"), str)
        ):
            continue
        hashes = each.get("hashes")
        sha256 = hashes.get("sha256") if isinstance(hashes, dict) else None
        address = _same_user(url, urllib.parse.urljoin(url, each["url"]))
        files.append(PackageFile(each["filename"], address, sha256.lower() if isinstance(sha256, str) else None))
    return tuple(files)


class _Anchors(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.base: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        href = dict(attrs).get("href")
        if href and tag == "a":
            self.links.append(href)
        elif href and tag == "base" and self.base is None:
            self.base = href


def _page(url: str, settings: IndexSettings, limits: Limits) -> tuple[PackageFile, ...]:
    if url.startswith("file:"):
        folder = urllib.parse.unquote(urllib.parse.urlsplit(url).path)
        url = f"{url}index.html" if os.path.isfile(os.path.join(folder, "index.html")) else url
        if url.endswith("/"):
            return tuple(_folder(folder)) if os.path.isdir(folder) else ()
    try:
        content, media_type, final = read(url, _ACCEPT, settings, limits)
    except NotThere:
        return ()
    try:
        return parse_page(content, media_type, _same_user(url, final))
    except ValueError:
        raise fail("bad-index", f"`{without_credentials(url)}` is no page of a package index") from None


def _links(place: str, settings: IndexSettings, limits: Limits) -> tuple[PackageFile, ...]:
    """A place of `find-links`: a folder of files, or a page that links to them."""
    url = _as_url(place)
    if url.startswith("file:"):
        path = urllib.parse.unquote(urllib.parse.urlsplit(url).path)
        if os.path.isdir(path):
            return tuple(_folder(path))
    return _page(url, settings, limits)


def _folder(path: str) -> Iterator[PackageFile]:
    for name in sorted(os.listdir(path)):
        if name.endswith(_SUFFIXES):
            yield PackageFile(name, _as_url(os.path.join(path, name)), None)


def _as_url(place: str) -> str:
    if re.match(r"[a-z][a-z0-9+.-]+:", place):
        return place
    return "file://" + urllib.parse.quote(os.path.abspath(place))


def _same_user(page: str, url: str) -> str:
    """Files on the page's own host are asked for with the page's credentials; others never see them."""
    there, here = urllib.parse.urlsplit(page), urllib.parse.urlsplit(url)
    if there.username is None or here.username is not None:
        return url
    if (there.scheme, there.hostname, there.port) != (here.scheme, here.hostname, here.port):
        return url
    return here._replace(netloc=there.netloc).geturl()


def _is_of(filename: str, package: str) -> bool:
    return version_in(filename, package) is not None


def _default_index(uv: Uv) -> str:
    """uv's own default, as uv says it. Raises UserError."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="mlbuild-index-") as folder:
        arguments = ["pip", "compile", "--quiet", "--no-config", "--python", sys.executable, "--emit-index-url", "-"]
        code, out, _ = uv.run(arguments, folder)
    found = re.search(r"^--(?:default-)?index(?:-url)?\s+(\S+)", out, re.MULTILINE)
    if code != 0 or not found:
        raise fail(
            "no-index",
            "no package index is configured, and uv does not say its own",
            hint="set one in uv's or pip's configuration",
        )
    return found[1]
