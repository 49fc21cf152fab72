from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from mlbuild.diagnostics import UserError
from mlbuild.fetch import HostFetcher
from mlbuild.terms import Artifact, Digest, FetchAction, FileValue, Label

OWNER = Label("", "envs", "train")


def action(kind: str, output: str = "x", inputs: tuple[str, ...] = (), **spec: str) -> FetchAction:
    return FetchAction(
        OWNER,
        kind,
        tuple(sorted(spec.items())),
        Artifact(f"mlbuild-out/envs/{output}", OWNER, is_source=False),
        tuple(Artifact(path, OWNER, is_source=True) for path in inputs),
    )


@pytest.fixture
def fetcher(tmp_path: Path, store: Any) -> HostFetcher:
    return HostFetcher(store, str(tmp_path / "memory"))


def test_what_is_collected_from_this_host_has_no_key(fetcher: HostFetcher) -> None:
    assert fetcher.key(action("interpreter", python=""), {}) is None
    assert fetcher.key(action("host_tools", tools="sh"), {}) is None


def test_a_pinned_file_is_known_by_its_hash_wherever_it_comes_from(fetcher: HostFetcher) -> None:
    one = action("http", url="https://a.example/x", sha256="a" * 64)
    other = action("http", url="https://b.example/y", sha256="A" * 64)
    third = action("http", url="https://a.example/x", sha256="b" * 64)
    assert fetcher.key(one, {}) == fetcher.key(other, {}) != fetcher.key(third, {})


def test_wheels_are_known_by_the_locks_bytes(fetcher: HostFetcher) -> None:
    def key(lock: bytes) -> Digest | None:
        return fetcher.key(action("wheels", inputs=("lock",), python=""), {"lock": FileValue(Digest.of(lock))})

    assert key(b"a") == key(b"a") != key(b"b")


def test_a_file_is_fetched(fetcher: HostFetcher, store: Any, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"x")
    sha256 = hashlib.sha256(b"x").hexdigest()
    value = fetcher.fetch(action("http", url=f"file://{tmp_path}/f", sha256=sha256), {})
    assert store.get(value.digest) == b"x"


def test_what_this_host_gave_is_witnessed(fetcher: HostFetcher) -> None:
    assert fetcher.witnesses == ()
    fetcher.fetch(action("host_tools", tools="sh", optional=""), {})
    assert any(path.endswith("/libc.so.6") for path, *_ in fetcher.witnesses)


@pytest.mark.parametrize(
    ("kind", "spec", "message"),
    [
        ("htp", {}, "there is no kind `htp` of fetch action"),
        ("http", {"url": "x"}, "fetch `http` needs `sha256`"),
        ("http", {"url": "x", "sha256": "y", "md5": "z"}, "fetch `http` takes no `md5`"),
        ("wheels", {}, "fetch `wheels` takes one input, the lock, not 0"),
    ],
)
def test_a_rules_mistake_is_said(fetcher: HostFetcher, kind: str, spec: dict[str, str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        fetcher.fetch(action(kind, **spec), {})
