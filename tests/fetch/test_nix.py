"""Nix is asked in the words that it knows. The `nix-portable` here is a fake: it writes down how it is called and answers from files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mlbuild.diagnostics import UserError
from mlbuild.fetch.nix import closure_key, fetch_closure, find_nix, nix_environment, system
from mlbuild.terms import Digest
from tests.fetch.test_nix_archive import BIN, NAME, OTHER, TEXT, export, words

PATH = f"/nix/store/{NAME}"

FAKE = """\
#!/bin/sh
# A fake of nix-portable: it has no Nix in it.
echo "$@" >> {folder}/called
case "$1 $2" in
"nix-instantiate "*) echo {path}.drv ;;
"nix-store --realise") test -e {folder}/fails && {{ echo "error: no luck" >&2; exit 1; }}; echo {path} ;;
"nix-store -qR") printf '%s\\n' {other} {path} ;;
"nix-store --export") cat {folder}/export ;;
esac
"""


@pytest.fixture
def fake(tmp_path: Path) -> Path:
    """The folder of the fake."""
    text = FAKE.format(folder=tmp_path, path=PATH, other=f"/nix/store/{OTHER}")
    program = tmp_path / "nix-portable"
    program.write_text(text, encoding="utf-8")
    program.chmod(0o755)
    libc = export(*TEXT, path=f"/nix/store/{OTHER}")
    (tmp_path / "export").write_bytes(libc + export(*BIN, references=(OTHER,)) + words(0))
    return tmp_path


def nix(folder: Path) -> tuple[tuple[str, str], ...]:
    """Variables with which only the fake is found, besides the programs that it uses itself."""
    for name in ("cat", "sh"):
        if not (folder / name).exists():
            (folder / name).symlink_to(f"/bin/{name}")
    return nix_environment({"PATH": str(folder)})


def test_nix_portable_is_called_with_nixs_own_commands(fake: Path, store: Any) -> None:
    tree = fetch_closure("", b"{ system }: 1", "greet.nix", find_nix(nix(fake)), store)
    assert (fake / "called").read_text(encoding="utf-8").splitlines() == [
        f"nix-instantiate --option pure-eval true --argstr system {system()} -E {{ system }}: 1",
        f"nix-store --realise {PATH}.drv",
        f"nix-store -qR {PATH}",
        f"nix-store --export {PATH} /nix/store/{OTHER}",
    ]
    assert store.listing(tree) == {
        "bin/greet": f"-> ../store/{NAME}/bin/greet",
        "bin/hello": f"-> ../store/{NAME}/bin/hello",
        f"store/{NAME}/bin/greet*": b"echo hello",
        f"store/{NAME}/bin/hello": "-> greet",
        f"store/{OTHER}/text": b"a text",
    }


def test_a_closure_that_lacks_what_it_refers_to_is_refused(fake: Path, store: Any) -> None:
    (fake / "export").write_bytes(export(*BIN, references=(OTHER,)) + words(0))
    with pytest.raises(UserError) as caught:
        fetch_closure(PATH, None, PATH, find_nix(nix(fake)), store)
    assert caught.value.diagnostics[0].message == (
        f"what Nix gave for `{PATH}` cannot be read: `{OTHER}` is referred to, and not there"
    )


def test_what_nix_complains_about_is_told(fake: Path, store: Any) -> None:
    (fake / "fails").touch()
    with pytest.raises(UserError) as caught:
        fetch_closure(PATH, None, PATH, find_nix(nix(fake)), store)
    (told,) = caught.value.diagnostics
    assert (told.code, told.notes) == ("nix-cannot-build", ("error: no luck",))


@pytest.mark.parametrize("path", ["/nix/store/short", f"{PATH}/bin", "relative", f"{PATH}\n--delete"])
def test_what_is_no_path_of_the_nix_store_never_reaches_nix(path: str, fake: Path, store: Any) -> None:
    with pytest.raises(UserError) as caught:
        fetch_closure(path, None, path, find_nix(nix(fake)), store)
    assert caught.value.diagnostics[0].code == "bad-store-path"
    assert not (fake / "called").exists()


def test_without_nix_the_error_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        find_nix(nix_environment({"PATH": str(tmp_path)}))
    assert caught.value.diagnostics[0].code == "no-nix"


def test_a_closure_is_known_by_its_path_or_by_its_expression() -> None:
    keys = [closure_key(PATH, None), closure_key("", Digest.of(b"1")), closure_key("", Digest.of(b"2"))]
    assert len(set(keys)) == 3
    assert closure_key("", Digest.of(b"1")) == keys[1]
