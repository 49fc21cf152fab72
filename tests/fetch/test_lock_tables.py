from __future__ import annotations

import pytest

from mlbuild.diagnostics import UserError
from mlbuild.fetch.interpreter import Interpreter
from mlbuild.fetch.markers import markers_of
from mlbuild.fetch.pins import pins

A, B, C = "a" * 64, "b" * 64, "c" * 64
HOLDS = markers_of(Interpreter("/python", "/", "/lib", "lib", "3.12.4"))

UV = f"""
version = 1

[[package]]
name = "demo"
version = "0.1"
source = {{ virtual = "." }}
dependencies = [
    {{ name = "httpx", extra = ["http2"] }},
    {{ name = "colorama", marker = "sys_platform == 'win32'" }},
    {{ name = "numpy", version = "2.4.6", marker = "python_full_version < '3.12'" }},
    {{ name = "numpy", version = "2.5.5", marker = "python_full_version >= '3.12'" }},
]
[package.optional-dependencies]
extra = [{{ name = "iniconfig" }}]
[package.dev-dependencies]
dev = [{{ name = "six" }}]

[[package]]
name = "httpx"
version = "0.28.1"
source = {{ registry = "https://example.org/simple" }}
dependencies = [{{ name = "idna" }}]
sdist = {{ url = "https://example.org/httpx.tar.gz", hash = "sha256:{C}" }}
wheels = [
    {{ url = "https://example.org/2.whl", hash = "sha256:{B}" }},
    {{ url = "https://example.org/1.whl", hash = "sha256:{A}" }},
]
[package.optional-dependencies]
http2 = [{{ name = "h2" }}]
""" + "".join(
    f"""
[[package]]
name = "{name}"
version = "{version}"
source = {{ registry = "https://example.org/simple" }}
wheels = [{{ url = "https://example.org/{name}.whl", hash = "sha256:{A}" }}]
"""
    for name, version in (
        ("colorama", "0.4"), ("numpy", "2.4.6"), ("numpy", "2.5.5"), ("idna", "3"), ("h2", "4"), ("iniconfig", "2"),
        ("six", "1"),
    )
)  # fmt: skip


def names(
    content: str, path: str = "uv.lock", *, extras: tuple[str, ...] = (), groups: tuple[str, ...] = ()
) -> list[str]:
    return sorted(pins(content.encode(), path, HOLDS, extras, groups))


def message(content: str, path: str = "envs/uv.lock", extras: tuple[str, ...] = ()) -> str:
    with pytest.raises(UserError) as caught:
        pins(content.encode(), path, HOLDS, extras)
    (diagnostic,) = caught.value.diagnostics
    return f"{diagnostic.code}: {diagnostic.message}"


def test_a_uv_lock_gives_what_the_project_needs_here() -> None:
    assert names(UV) == ["h2-4.txt", "httpx-0.28.1.txt", "idna-3.txt", "numpy-2.5.5.txt"]


def test_extras_and_groups_are_added_when_asked_for() -> None:
    assert names(UV, extras=("extra",), groups=("dev",)) == [
        "h2-4.txt", "httpx-0.28.1.txt", "idna-3.txt", "iniconfig-2.txt", "numpy-2.5.5.txt", "six-1.txt",
    ]  # fmt: skip


def test_a_pin_has_the_hashes_of_all_wheels_and_of_nothing_else() -> None:
    found = pins(UV.encode(), "uv.lock", HOLDS)
    assert found["httpx-0.28.1.txt"] == f"httpx==0.28.1 --hash=sha256:{A} --hash=sha256:{B}\n".encode()


def test_a_format_does_not_show_in_a_pin() -> None:
    text = f"httpx==0.28.1 --hash=sha256:{B} --hash=sha256:{A}\n"
    assert (
        pins(text.encode(), "lock.txt", HOLDS)["httpx-0.28.1.txt"]
        == pins(UV.encode(), "uv.lock", HOLDS)["httpx-0.28.1.txt"]
    )


def test_an_extra_that_is_not_there_is_told() -> None:
    assert message(UV, extras=("exta",)) == "no-such-extra: `envs/uv.lock` has no extra `exta`"


def test_extras_of_a_lock_without_any_are_refused() -> None:
    assert message(f"six==1 --hash=sha256:{A}\n", "lock.txt", ("x",)).startswith(
        "no-such-extra: `lock.txt` knows no extras"
    )


def test_a_package_without_a_wheel_is_named() -> None:
    lock = UV.replace('name = "demo"', 'name = "demo"').replace(f'hash = "sha256:{A}"', 'hash = ""')
    assert message(lock) == "no-wheel-in-lock: `h2` 4 has no wheel with a hash in `envs/uv.lock`"


PYLOCK = f"""
lock-version = "1.0"
created-by = "hand"

[[packages]]
name = "Typing_Extensions"
version = "4.1"
wheels = [{{ url = "https://example.org/t.whl", hashes = {{ sha256 = "{A}" }} }}]

[[packages]]
name = "colorama"
version = "0.4"
marker = "sys_platform == 'win32'"
wheels = [{{ url = "https://example.org/c.whl", hashes = {{ sha256 = "{A}" }} }}]

[[packages]]
name = "pytest"
version = "8"
marker = "'dev' in dependency_groups"
wheels = [{{ url = "https://example.org/p.whl", hashes = {{ sha256 = "{A}" }} }}]
"""


def test_a_pylock_gives_the_packages_whose_markers_hold() -> None:
    assert pins(PYLOCK.encode(), "envs/pylock.train.toml", HOLDS) == {
        "typing-extensions-4.1.txt": f"typing-extensions==4.1 --hash=sha256:{A}\n".encode()
    }


@pytest.mark.parametrize(
    "content",
    ["[[package]", "package = 1", "[[package]]\nname = 3", '[[package]]\nname = "a"\nsource = 1', "package = [1]",
     '[[package]]\nname = "a"\nsource = { virtual = "." }\ndependencies = [{ name = "b" }]',
     '[[package]]\nname = "a"\nsource = { virtual = "." }\ndependencies = [{ name = "a", marker = "no" }]'],
)  # fmt: skip
def test_a_lock_that_cannot_be_read_is_one_clear_error(content: str) -> None:
    assert message(content).startswith("bad-lock: `envs/uv.lock` is no lock that can be read: ")
