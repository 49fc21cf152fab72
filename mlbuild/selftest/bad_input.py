"""Bad input: labels, patterns, globs, command lines, rc files, state files and wire messages, made up and mutated."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from random import Random

from mlbuild.diagnostics import UserError
from mlbuild.seams import EntryKind
from mlbuild.selftest.campaign import Campaign, Size, Violation, sum_of
from mlbuild.selftest.stage import Scene, Stage, environ

LISTING: dict[str, tuple[tuple[str, EntryKind], ...]] = {
    "": (("a.py", "file"), ("d", "directory"), ("é", "file")),
    "d": (("b.py", "file"), ("e", "directory")),
    "d/e": (("c.py", "file"),),
}
CASES = 500
"""Of each kind, in one trial."""
SLOW = 1.0
"""Seconds of processor time that no case may take."""

PIECES = (
    "//", ":", "@", "...", "..", ".", "/", "a", "models", "mlbuild", "all", "*", "-", "--", "=", "\\", "\n", "\r", "\0",
    "\t", " ", "'", '"', "#", "%", "~", "\u202e", "\ud800", "é", "e\u0301", "𝕩", "common", "build", "build:x", "import",
    "try-import", "%workspace%", "--config=x", "--define=a=b", "--jobs", "--jobs=0", "--nojobs", "-j", "-k", "20G",
    "--disk_cache=", "--color=never", "--seed=1", "--long", "selftest", "run", "test", "cache", "help", "9" * 40, "A" * 300,
)  # fmt: skip


def trial(stage: Stage, number: int) -> float:
    """Gives how many cases there were."""
    dice = Random(number)
    count = 0
    with stage.scene() as scene:
        scene.write("WORKSPACE.ml", b'workspace(name = "selftest")\n')
        for name, case in cases(scene).items():
            for _ in range(CASES if name != "rc file" else CASES // 5):
                count += 1
                given = _text(dice) if name not in MUTATED else _mutated(dice, MUTATED[name])
                began = time.process_time()
                try:
                    case(given)
                except Exception as error:
                    if is_refusal(error):
                        continue
                    raise Violation(f"{name} {given!r}: {type(error).__name__}: {error}") from error
                if time.process_time() - began > SLOW:
                    raise Violation(f"{name} {given!r} took {time.process_time() - began:.1f} s")
    return count


class _Refused(Exception):
    """The error that a reader is to raise."""


def is_refusal(error: Exception) -> bool:
    """Whether that is how bad input is to end."""
    return isinstance(error, UserError | _Refused)


def cases(scene: Scene) -> dict[str, Callable[[bytes], object]]:
    """What reads each kind of input."""
    from mlbuild.config import build_request
    from mlbuild.files import last_build
    from mlbuild.flags import COMMANDS
    from mlbuild.loading.glob import BadPattern, matching
    from mlbuild.loading.patterns import parse_pattern
    from mlbuild.reapi import decode_directory, encode_directory
    from mlbuild.store.entries import decoded
    from mlbuild.terms import Label
    from mlbuild.terms.label import BadLabel

    home = environ(scene)
    beside = scene.folder.parent / "case"

    def label(given: bytes) -> None:
        try:
            found = Label.parse(_as_text(given), package="p")
        except BadLabel:
            return
        if Label.parse(str(found)) != found:
            raise ValueError(f"{found} is read as {Label.parse(str(found))}")

    def pattern(given: bytes) -> None:
        parse_pattern(_as_text(given), "p")

    def glob(given: bytes) -> None:
        try:
            found = matching(_as_text(given), lambda folder: LISTING.get(folder, ()))
        except BadPattern:
            raise _Refused from None
        if not set(found) <= {"a.py", "é", "d/b.py", "d/e/c.py"}:
            raise AssertionError(f"{found} are not files that are there")

    def command_line(given: bytes) -> None:
        words = tuple(_as_text(given.replace(b"\0", b"")).split(" "))
        build_request(
            words if len(given) % 2 else (sorted(COMMANDS)[len(given) % len(COMMANDS)], *words), home, scene.folder
        )

    def rc_file(given: bytes) -> None:
        (scene.folder / ".mlbuildrc").write_bytes(given)
        try:
            build_request(("build", "//..."), home, scene.folder)
        finally:
            (scene.folder / ".mlbuildrc").unlink()

    def state(given: bytes) -> None:
        beside.write_bytes(given)
        answer = last_build.recall(str(beside), "question")
        if answer is not None and given != MUTATED["state file"]:
            raise ValueError("a state is trusted that nobody wrote")

    def entry(given: bytes) -> None:
        try:
            decoded(given)
        except ValueError:
            raise _Refused from None
        if given != MUTATED["entry"]:
            raise AssertionError("an entry is trusted that nobody wrote")

    def directory(given: bytes) -> None:
        try:
            found = decode_directory(given)
        except ValueError:
            raise _Refused from None
        # What is not known is passed over, as in every protocol buffer; what is known is read once and for all.
        if decode_directory(encode_directory(found)) != found:
            raise AssertionError("what is written of it is read otherwise")

    _make_originals(beside)
    return {
        "label": label, "pattern": pattern, "glob": glob, "command line": command_line, "rc file": rc_file, "state file": state,
        "entry": entry, "directory": directory,
    }  # fmt: skip


MUTATED: dict[str, bytes] = {}
"""What is right, to be mutated, by kind."""


def _make_originals(beside: Path) -> None:
    import hashlib

    from mlbuild.files import last_build
    from mlbuild.reapi import encode_directory, encode_result
    from mlbuild.store.entries import MAGIC
    from mlbuild.terms import Digest, Directory, DirectoryNode, FileNode, FileValue, SpawnResult, SymlinkNode

    if MUTATED:
        return
    last_build.remember(str(beside), "question", [("/a", "absent", 0, 0, 0, 0)], 1 << 60, 1 << 60, (1, ()))
    MUTATED["state file"] = beside.read_bytes()
    digest = Digest.of(b"content")
    body = str(digest).encode() + b"\n" + encode_result(SpawnResult(0, (("a", FileValue(digest)),)))
    MUTATED["entry"] = MAGIC + hashlib.sha256(body).digest() + body
    MUTATED["directory"] = encode_directory(
        Directory(
            (FileNode("a", digest), FileNode("b", digest, True)),
            (DirectoryNode("c", digest),),
            (SymlinkNode("d", "a"),),
        )
    )


def _text(dice: Random) -> bytes:
    """A soup of pieces that mean something, with bytes that mean nothing here and there."""
    soup = "".join(dice.choice(PIECES) + dice.choice(("", "", "", " ")) for _ in range(dice.randrange(1, 12)))
    given = soup.encode("utf-8", "surrogatepass")
    return given if dice.random() < 0.8 else _mutated(dice, given)


def _mutated(dice: Random, given: bytes) -> bytes:
    content = bytearray(given)
    for _ in range(dice.choice((1, 1, 2, 5))):
        place = dice.randrange(len(content) + 1)
        how = dice.randrange(4)
        if how == 0 and content:
            content[place % len(content)] ^= 1 << dice.randrange(8)
        elif how == 1:
            content[place:place] = dice.randbytes(dice.choice((1, 4, 100)))
        elif how == 2:
            del content[place : place + dice.choice((1, 8, 64))]
        else:
            content[place:place] = content[: dice.randrange(len(content) + 1)]
    return bytes(content)


def _as_text(given: bytes) -> str:
    """As Python gives us the words of a command line, whatever their bytes."""
    return given.decode("utf-8", "surrogateescape")


CAMPAIGN = Campaign(
    "bad-input",
    f"labels, patterns, globs, command lines, rc files, state files, entries and messages, soup and mutations ({CASES} of each a "
    "trial): each is read or refused in words, at once",
    Size(1, 60, 20_000, 10),
    trial,
    measured=sum_of("cases"),
)
