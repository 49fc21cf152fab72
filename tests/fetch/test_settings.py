from __future__ import annotations

import pytest

from mlbuild.diagnostics import UserError
from mlbuild.fetch import configuration_files, index_settings
from mlbuild.fetch.settings import without_credentials


def test_nothing_configured_means_uvs_own_default() -> None:
    settings = index_settings({"PATH": "/usr/bin", "SECRET": "s", "UV_TARGET": "/x"})
    assert settings.default_index is None
    assert settings.indexes == ()
    assert settings.environment == (("PATH", "/usr/bin"),)


def test_pips_configuration_is_used_where_uv_has_none() -> None:
    weak = ("/etc/pip.conf", "[global]\nindex-url = https://a.example/simple\ncert = /ca.pem\n")
    strong = (
        "~/pip.conf",
        "[global]\nextra-index-url = https://b.example/s\n  https://c.example/s\nfind_links = /wheels\n",
    )
    settings = index_settings({}, pip_files=[weak, strong])
    assert settings.default_index == "https://a.example/simple"
    assert settings.indexes == ("https://b.example/s", "https://c.example/s")
    assert settings.find_links == ("/wheels",)
    assert settings.certificates == "/ca.pem"
    assert dict(settings.environment) == {
        "SSL_CERT_FILE": "/ca.pem",
        "UV_DEFAULT_INDEX": "https://a.example/simple",
        "UV_FIND_LINKS": "/wheels",
        "UV_INDEX": "https://b.example/s https://c.example/s",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
    }


def test_pips_variables_are_stronger_than_its_files() -> None:
    file = ("pip.conf", "[global]\nindex-url = https://a.example/simple\n[install]\nno-index = false\n")
    settings = index_settings({"PIP_INDEX_URL": "https://v.example/", "PIP_NO_INDEX": "1"}, pip_files=[file])
    assert settings.default_index == "https://v.example/"
    assert settings.has_no_index


def test_uvs_configuration_decides_as_a_whole() -> None:
    uv = (
        "uv.toml",
        'extra-index-url = ["https://e.example/"]\n[[index]]\nurl = "https://d.example/"\ndefault = true\n'
        '[[index]]\nname = "n"\nurl = "https://n.example/"\nexplicit = true\n[pip]\nfind-links = ["/w"]\n',
    )
    pip = ("pip.conf", "[global]\nextra-index-url = https://b.example/s\n")
    settings = index_settings({"UV_INDEX": "corp=https://c.example/"}, [uv], [pip])
    assert settings.default_index == "https://d.example/"
    assert settings.indexes == ("https://c.example/", "https://e.example/")
    assert settings.find_links == ("/w",)
    assert dict(settings.environment) == {"UV_INDEX": "corp=https://c.example/"}


def test_only_what_uv_needs_is_kept_of_the_variables() -> None:
    environ = {"HOME": "/h", "UV_CACHE_DIR": "/c", "UV_INDEX_CORP_PASSWORD": "p", "AWS_SECRET": "x", "UV_OVERRIDE": "o"}
    assert [name for name, _ in index_settings(environ).environment] == [
        "HOME",
        "UV_CACHE_DIR",
        "UV_INDEX_CORP_PASSWORD",
    ]


def test_small_proxy_variables_win() -> None:
    settings = index_settings({"HTTPS_PROXY": "http://a:1", "https_proxy": "http://b:2", "NO_PROXY": "x"})
    assert settings.proxies == (("https", "http://b:2"), ("no", "x"))


def test_a_file_that_cannot_be_understood_is_named() -> None:
    with pytest.raises(UserError, match=r"`/etc/uv/uv.toml` cannot be understood"):
        index_settings({}, [("/etc/uv/uv.toml", "index = [")])
    with pytest.raises(UserError, match=r"`pip.conf` cannot be understood"):
        index_settings({}, [], [("pip.conf", "index-url = no section\n")])


def test_configuration_is_looked_for_where_uv_and_pip_do() -> None:
    uv, pip = configuration_files({"HOME": "/h"})
    assert uv == ("/etc/uv/uv.toml", "/etc/xdg/uv/uv.toml", "/h/.config/uv/uv.toml")
    assert pip == ("/etc/xdg/pip/pip.conf", "/etc/pip.conf", "/h/.pip/pip.conf", "/h/.config/pip/pip.conf")
    assert configuration_files({"UV_CONFIG_FILE": "/u", "PIP_CONFIG_FILE": "/dev/null"}) == (("/u",), ())


def test_credentials_are_taken_out_of_text() -> None:
    assert without_credentials("from https://me:pw@host.example/x at") == "from https://host.example/x at"
    assert "secret" not in repr(index_settings({"UV_INDEX_A_PASSWORD": "secret"}))
