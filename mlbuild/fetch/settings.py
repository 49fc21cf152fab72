"""The user's own package indexes, as uv's or else pip's configuration has them. Plain functions of text and variables.

Addresses may hold credentials: they go to uv through its environment, to servers, and nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from mlbuild.diagnostics import ExitCode, fail
from mlbuild.records import field, record

_UV_VARIABLES = frozenset({
    "UV_CACHE_DIR", "UV_CONCURRENT_DOWNLOADS", "UV_CONCURRENT_INSTALLS", "UV_CONFIG_FILE", "UV_DEFAULT_INDEX",
    "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS", "UV_HTTP_RETRIES", "UV_HTTP_TIMEOUT", "UV_INDEX", "UV_INDEX_STRATEGY",
    "UV_INDEX_URL", "UV_INSECURE_HOST", "UV_KEYRING_PROVIDER", "UV_NATIVE_TLS", "UV_NO_CACHE", "UV_NO_CONFIG",
    "UV_OFFLINE", "UV_PYTHON_INSTALL_DIR", "UV_REQUEST_TIMEOUT", "UV_SYSTEM_CERTS",
})  # fmt: skip
_UV_CREDENTIALS = re.compile(r"UV_INDEX_[A-Z0-9_]+_(USERNAME|PASSWORD)\Z")
_HOST_VARIABLES = frozenset({
    "ALL_PROXY", "HOME", "HTTPS_PROXY", "HTTP_PROXY", "NETRC", "NO_PROXY", "PATH", "SSL_CERT_DIR", "SSL_CERT_FILE",
    "SSL_CLIENT_CERT", "XDG_CACHE_HOME", "XDG_CONFIG_DIRS", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "all_proxy",
    "http_proxy", "https_proxy", "no_proxy",
})  # fmt: skip


@record
class IndexSettings:
    """Where packages come from. `default_index` is nothing when uv's own default is meant.

    `indexes` come before the default one; with `is_best_match` all are one pool, as pip has it. `environment` is
    all that uv gets to see of the user's variables.
    """

    default_index: str | None = None
    indexes: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()
    has_no_index: bool = False
    is_best_match: bool = False
    certificates: str | None = None
    proxies: tuple[tuple[str, str], ...] = ()
    environment: tuple[tuple[str, str], ...] = field(default=(), repr=False)


NO_SETTINGS = IndexSettings()
"""uv's own defaults, and none of the user's variables."""


def index_settings(
    environ: Mapping[str, str], uv_files: Iterable[tuple[str, str]] = (), pip_files: Iterable[tuple[str, str]] = ()
) -> IndexSettings:
    """Settings from variables and the (path, text) of configuration files, the weakest file first.

    uv's configuration decides as a whole if it says anything about indexes; else pip's is translated.

    Raises:
        UserError: if a file cannot be understood.
    """
    kept = {name: text for name, text in environ.items() if _is_for_uv(name) and text}
    uv = _from_uv(environ, uv_files)
    is_pips = uv == NO_SETTINGS
    settings = _from_pip(environ, pip_files) if is_pips else uv
    if is_pips:
        kept.update(_uv_environment(settings))
    certificates = environ.get("SSL_CERT_FILE") or settings.certificates
    if certificates:
        kept["SSL_CERT_FILE"] = certificates
    proxies = {
        name.lower().removesuffix("_proxy"): environ[name]
        for name in sorted(environ)  # capitals first: the small spelling wins, as it does for curl
        if name.lower() in ("http_proxy", "https_proxy", "all_proxy", "no_proxy") and environ[name]
    }
    return IndexSettings(
        settings.default_index,
        settings.indexes,
        settings.find_links,
        settings.has_no_index,
        settings.is_best_match,
        certificates,
        tuple(sorted(proxies.items())),
        tuple(sorted(kept.items())),
    )


def configuration_files(environ: Mapping[str, str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Where uv's and pip's configuration would be, the weakest first."""
    home = environ.get("HOME", "")
    user = environ.get("XDG_CONFIG_HOME") or (f"{home}/.config" if home else "")
    shared = tuple(folder for folder in reversed((environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(":")) if folder)
    uv = ["/etc/uv/uv.toml", *(f"{folder}/uv/uv.toml" for folder in shared), *([f"{user}/uv/uv.toml"] if user else [])]
    if environ.get("UV_CONFIG_FILE"):
        uv = [environ["UV_CONFIG_FILE"]]
    if environ.get("UV_NO_CONFIG"):
        uv = []
    pip = [*(f"{folder}/pip/pip.conf" for folder in shared), "/etc/pip.conf"]
    pip += [f"{home}/.pip/pip.conf"] if home else []
    pip += [f"{user}/pip/pip.conf"] if user else []
    pip += [f"{environ['VIRTUAL_ENV']}/pip.conf"] if environ.get("VIRTUAL_ENV") else []
    named = environ.get("PIP_CONFIG_FILE")
    return tuple(uv), () if named == "/dev/null" else (*pip, named) if named else tuple(pip)


def without_credentials(text: str) -> str:
    """The text with what stands before the `@` of an address taken out."""
    return re.sub(r"(?<=://)[^/\s@`'\"]+@", "", text)


def _is_for_uv(name: str) -> bool:
    return name in _UV_VARIABLES or name in _HOST_VARIABLES or _UV_CREDENTIALS.match(name) is not None


def _from_uv(environ: Mapping[str, str], files: Iterable[tuple[str, str]]) -> IndexSettings:
    default: str | None = None
    indexes: list[str] = []
    links: list[str] = []
    has_none = False
    for path, text in files:
        content = _toml(path, text)
        section = content.get("pip")
        for table in (content, section if isinstance(section, dict) else {}):
            listed = table.get("index")
            for each in listed if isinstance(listed, list) else []:
                if not isinstance(each, dict) or not isinstance(each.get("url"), str) or each.get("explicit"):
                    continue
                if each.get("default"):
                    default = each["url"]
                else:
                    indexes.append(each["url"])
            default = _text(table.get("index-url")) or default
            indexes += _texts(table.get("extra-index-url"))
            links += _texts(table.get("find-links"))
            has_none = bool(table.get("no-index", has_none))
    default = environ.get("UV_DEFAULT_INDEX") or environ.get("UV_INDEX_URL") or default
    # A name may stand before the address: `corp=https://...`.
    named = [each.partition("=")[2] if re.match(r"[\w.-]+=", each) else each for each in _words(environ, "UV_INDEX")]
    indexes = [*named, *_words(environ, "UV_EXTRA_INDEX_URL"), *indexes]
    links = [*(each for each in environ.get("UV_FIND_LINKS", "").split(",") if each), *links]
    return IndexSettings(default, tuple(dict.fromkeys(indexes)), tuple(dict.fromkeys(links)), has_none)


def _from_pip(environ: Mapping[str, str], files: Iterable[tuple[str, str]]) -> IndexSettings:
    import configparser

    said: dict[str, str] = {}
    for path, text in files:
        parser = configparser.RawConfigParser()
        try:
            parser.read_string(text, source=path)
        except configparser.Error as error:
            raise fail(
                "bad-configuration",
                f"`{path}` cannot be understood: {str(error).splitlines()[0]}",
                exit_code=ExitCode.ENVIRONMENT,
            ) from None
        for section in ("global", "install"):
            if parser.has_section(section):
                said.update({name.replace("_", "-"): value or "" for name, value in parser.items(section)})
    for name in ("index-url", "extra-index-url", "find-links", "no-index", "cert"):
        if variable := environ.get("PIP_" + name.upper().replace("-", "_")):
            said[name] = variable
    indexes = tuple(dict.fromkeys(said.get("extra-index-url", "").split()))
    return IndexSettings(
        said.get("index-url") or None,
        indexes,
        tuple(dict.fromkeys(said.get("find-links", "").split())),
        _is_true(said.get("no-index", "")),
        bool(indexes),
        said.get("cert") or None,
    )


def _uv_environment(settings: IndexSettings) -> dict[str, str]:
    """Settings in uv's variables: unlike its arguments, they do not show in a list of processes."""
    variables: dict[str, str] = {}
    if settings.default_index:
        variables["UV_DEFAULT_INDEX"] = settings.default_index
    if settings.indexes:
        variables["UV_INDEX"] = " ".join(settings.indexes)
    if settings.find_links:
        variables["UV_FIND_LINKS"] = ",".join(settings.find_links)
    if settings.is_best_match:
        variables["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    return variables


def _toml(path: str, text: str) -> dict[str, object]:
    import tomllib

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise fail(
            "bad-configuration", f"`{path}` cannot be understood: {error}", exit_code=ExitCode.ENVIRONMENT
        ) from None


def _words(environ: Mapping[str, str], name: str) -> list[str]:
    return environ.get(name, "").split()


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _texts(value: object) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _is_true(text: str) -> bool:
    return text.strip().lower() in {"1", "true", "yes", "on", "y", "t"}
