"""Closures of the Nix store: built or found by the user's Nix, kept as one tree that actions see at `/nix`.

Nix is asked only when the cache does not know the answer. Expressions are evaluated in Nix's pure mode, so that what they
say is all that decides what they mean: neither channels, nor the time, nor files beside them.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Mapping
from typing import BinaryIO, cast

from mlbuild.diagnostics import ExitCode, UserError, fail
from mlbuild.fetch.nix_archive import STORE, BadArchive, Exported, keep_folder, name_of, read_export
from mlbuild.reapi import decode_directory
from mlbuild.records import record
from mlbuild.seams import ContentStore
from mlbuild.terms import Digest, DirectoryNode, FileNode, SymlinkNode, TreeValue

FORMAT = 1
"""Counts how a closure is laid out: part of the key."""

_PASSED_ON = (
    "ALL_PROXY", "HOME", "HTTPS_PROXY", "HTTP_PROXY", "NETRC", "NO_PROXY", "PATH", "SSL_CERT_DIR", "SSL_CERT_FILE", "TMPDIR",
    "USER", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "all_proxy", "http_proxy", "https_proxy", "no_proxy",
)  # fmt: skip
_MOST_LINES = 30


@record
class Nix:
    """The command that comes before each of Nix's own: nothing, or nix-portable. `environment` is all that it sees."""

    prefix: tuple[str, ...]
    environment: tuple[tuple[str, str], ...]

    def ask(self, *arguments: str) -> tuple[int, str, str]:
        """(exit code, stdout, stderr). Raises UserError."""
        done = subprocess.run(
            [*self.prefix, *arguments], capture_output=True, stdin=subprocess.DEVNULL, env=dict(self.environment)
        )
        return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


def nix_environment(environ: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """What of the user's variables Nix gets to see: which store it uses is the user's own affair."""
    kept = {name: text for name, text in environ.items() if name in _PASSED_ON or name.startswith(("NIX_", "NP_"))}
    return tuple(sorted({**kept, "LC_ALL": "C.UTF-8", "NO_COLOR": "1"}.items()))


def find_nix(environment: tuple[tuple[str, str], ...]) -> Nix:
    """Nix from the user's `PATH`, or else nix-portable. Raises UserError."""
    folders = [each for each in dict(environment).get("PATH", "").split(os.pathsep) if each.startswith("/")]
    for program, prefix in (("nix-store", ()), ("nix-portable", ("nix-portable",))):
        if any(os.access(os.path.join(folder, program), os.X_OK) for folder in folders):
            return Nix(prefix, environment)
    raise fail(
        "no-nix",
        "this machine has neither `nix-store` nor `nix-portable`, and the cache does not know the closure",
        hint="install Nix (Debian and Ubuntu: `apt-get install nix-bin`) or put nix-portable on the `PATH`; "
        "who shares a cache with somebody who has it needs neither",
        exit_code=ExitCode.ENVIRONMENT,
    )


def closure_key(store_path: str, expression: Digest | None) -> Digest:
    """What decides a closure: the path, or the expression with the kind of machine that it is for."""
    return Digest.of(f"mlbuild nix closure {FORMAT}\n{system()}\n{store_path}\n{expression or ''}".encode())


def system() -> str:
    """This machine, as Nix calls it."""
    return f"{os.uname().machine}-{os.uname().sysname.lower()}"


def fetch_closure(store_path: str, expression: bytes | None, shown: str, nix: Nix, store: ContentStore) -> TreeValue:
    """The tree of a closure: `store/` with each of its paths, and `bin/` with a link to each program of what was asked for.

    Args:
        store_path: a path of the Nix store, or empty.
        expression: a Nix expression otherwise: a derivation, or a function of `system`.
        shown: what the person knows the expression as.
        nix: whom to ask.
        store: where the tree is put.

    Raises:
        UserError: if Nix is not content, or writes what cannot be read.
    """
    try:
        wanted = _built(expression, shown, nix) if expression is not None else (STORE + _checked(store_path),)
        tops = _asked(nix, "nix-cannot-build", f"Nix cannot give `{shown}`", "nix-store", "--realise", *wanted)
        closure = _asked(nix, "nix-cannot-build", f"Nix cannot list what `{shown}` needs", "nix-store", "-qR", *tops)
        exported = _export(tuple(sorted({*closure})), shown, nix, store)
        return _tree(tuple(map(name_of, tops)), exported, store)
    except BadArchive as error:
        raise fail("bad-nix-archive", f"what Nix gave for `{shown}` cannot be read: {error}") from None


def _checked(path: str) -> str:
    try:
        return name_of(path)
    except BadArchive:
        raise fail(
            "bad-store-path",
            f"`{path}` is no path of the Nix store",
            hint="it looks like `/nix/store/HASH-NAME`, without what is below it",
        ) from None


def _built(expression: bytes, shown: str, nix: Nix) -> tuple[str, ...]:
    """The derivations that the expression means."""
    try:
        text = expression.decode()
    except UnicodeDecodeError:
        raise fail("bad-nix-expression", f"`{shown}` is no text in UTF-8") from None
    if len(text) > 100_000:
        raise fail("bad-nix-expression", f"`{shown}` has more than 100,000 characters")
    return _asked(
        nix, "bad-nix-expression", f"Nix cannot evaluate `{shown}`",
        "nix-instantiate", "--option", "pure-eval", "true", "--argstr", "system", system(), "-E", text,
    )  # fmt: skip


def _asked(nix: Nix, code: str, what: str, *arguments: str) -> tuple[str, ...]:
    """The lines that Nix prints. Raises UserError with its own words."""
    status, out, err = nix.ask(*arguments)
    if status != 0 or not out.strip():
        raise _complaint(code, what, err)
    return tuple(line.partition("!")[0] for line in out.split())


def _complaint(code: str, what: str, words: str) -> UserError:
    lines = [line.rstrip() for line in words.splitlines() if line.strip() and not line.startswith("warning:")]
    hint = None
    if "pure evaluation mode" in words or "pure-eval" in words:
        hint = "the expression may need nothing but itself: fetch nixpkgs in it by its hash (`fetchTarball { url; sha256; }`)"
    elif "don't know how to build" in words or "no substituter" in words:
        hint = "nobody who is asked has this path: name an `expr` that builds it"
    return fail(code, what, hint=hint, notes=tuple(lines[:_MOST_LINES]), exit_code=ExitCode.BUILD_FAILED)


def _export(paths: tuple[str, ...], shown: str, nix: Nix, store: ContentStore) -> tuple[Exported, ...]:
    import tempfile

    # Its words go to a file: a pipe that nobody reads would stop it.
    with tempfile.TemporaryFile() as words:
        process = subprocess.Popen(
            [*nix.prefix, "nix-store", "--export", *paths],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=words, env=dict(nix.environment),
        )  # fmt: skip
        with process:
            assert process.stdout is not None
            try:
                exported = read_export(cast("BinaryIO", process.stdout), store)
            except BadArchive:
                # Nix that fails in the middle says why itself.
                if process.wait() == 0:
                    raise
                exported = ()
            except BaseException:
                process.kill()
                raise
        if process.returncode != 0:
            words.seek(0)
            raise _complaint(
                "nix-cannot-build", f"Nix cannot export what `{shown}` needs", words.read().decode(errors="replace")
            )
    return exported


def _tree(tops: Iterable[str], exported: tuple[Exported, ...], store: ContentStore) -> TreeValue:
    nodes = {each.node.name: each.node for each in exported}
    lacking = sorted({name for each in exported for name in each.references} - nodes.keys())
    if lacking:
        raise BadArchive(f"`{lacking[0]}` is referred to, and not there")
    programs: dict[str, SymlinkNode] = {}
    for top in tops:
        for name in _programs(nodes[top], store):
            programs.setdefault(name, SymlinkNode(name, f"../store/{top}/bin/{name}"))
    closure = keep_folder(*_by_kind(nodes.values()), store)
    links = keep_folder([], [], [programs[name] for name in sorted(programs)], store)
    return TreeValue(keep_folder([], [DirectoryNode("bin", links), DirectoryNode("store", closure)], [], store))


def _programs(top: FileNode | SymlinkNode | DirectoryNode, store: ContentStore) -> tuple[str, ...]:
    """What lies in `bin/` of a path that was asked for."""
    if not isinstance(top, DirectoryNode):
        return ()
    for child in decode_directory(store.get(top.digest)).directories:
        if child.name == "bin":
            inside = decode_directory(store.get(child.digest))
            return (*(file.name for file in inside.files), *(link.name for link in inside.symlinks))
    return ()


def _by_kind(
    nodes: Iterable[FileNode | SymlinkNode | DirectoryNode],
) -> tuple[list[FileNode], list[DirectoryNode], list[SymlinkNode]]:
    found = tuple(nodes)
    return (
        [each for each in found if isinstance(each, FileNode)],
        [each for each in found if isinstance(each, DirectoryNode)],
        [each for each in found if isinstance(each, SymlinkNode)],
    )
