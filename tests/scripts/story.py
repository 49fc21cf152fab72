"""End to end as text: a story is commands, expectations and a small workspace in one file.

    # a comment, and what the story claims
    mlbuild build //:hello          must end with 0; `! mlbuild ...` must not; `exit 3` checks the code
    stderr 'INFO: .* 1 ran'         a regular expression in what the last command said; `! stderr`, `stdout` too
    edit BUILD.ml 'old' 'new'       replaces one occurrence, which must be there
    -- BUILD.ml --                  from here on: the files of the workspace, each after its name
    genrule(...)

Other words: append FILE TEXT, write FILE TEXT, touch FILE, rm PATH, cp A B, mkdir PATH, chmod MODE PATH, link TARGET
PATH, wheel NAME VERSION TEXT (a package of one module, in a folder that becomes the story's only index), cat FILE (becomes stdout), cmp A B (a file, `stdout` or `stderr`), exists PATH, env NAME=VALUE (`env NAME` takes
it away), cd PATH, cache own (an empty cache of this story's; the one of the test session otherwise), and
`stop SIGNAL 'regex' mlbuild ...`, which sends the signal once stderr matches. `terminal mlbuild ...` gives the command
a terminal for stderr. `$WORK`, `$HOME` and `$CACHE` stand for the story's folders.

The shared cache answers for actions that another story has run: give a story's actions words of their own.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import mlbuild

SECONDS = 240.0
REPOSITORY = Path(mlbuild.__file__).parents[1]
PASSED_ON = re.compile(r"(UV|PIP)_|.*_proxy$|.*_PROXY$|SSL_CERT|REQUESTS_CA|PATH$|TMPDIR$")
OUR_TRACEBACK = re.compile(r'File "[^"]*/mlbuild/[^"]*\.py"')
MARKER = re.compile(r"^-- (\S+) --$")


class StoryFailed(Exception):
    """An expectation does not hold. Carries the transcript up to the line that failed."""


@dataclass
class Story:
    """A story being told: what is known of its last command."""

    text: str
    folder: Path
    shared_cache: Path
    code: int = 0
    said: dict[str, str] = field(default_factory=lambda: {"stdout": "", "stderr": ""})
    transcript: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.work = self.folder / "work"
        self.home = self.folder / "home"
        self.cache = self.shared_cache
        self.standing = self.work
        self.environ = {name: value for name, value in os.environ.items() if PASSED_ON.match(name)}
        self.environ |= {"HOME": str(self.home), "LANG": "C.UTF-8", "TERM": "dumb", "PYTHONPATH": str(REPOSITORY)}
        # Where the surroundings forbid bytecode beside the sources, every command would compile all of mlbuild again.
        self.environ["PYTHONPYCACHEPREFIX"] = str(self.shared_cache.parent / "bytecode")

    def tell(self) -> None:
        """Runs the story. Raises StoryFailed."""
        script, files = split(self.text)
        self.home.mkdir(parents=True, exist_ok=True)
        self.work.mkdir()
        for name, content in files.items():
            place = self.work / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(content, encoding="utf-8")
        for number, line in enumerate(script, 1):
            if not line.strip() or line.startswith("#"):
                continue
            self.transcript.append(f"{number:3}  {line}")
            try:
                self.do(line)
            except (StoryFailed, OSError, ValueError, re.error) as error:
                raise StoryFailed("\n".join((*self.transcript, f">>>  line {number}: {error}"))) from None

    def do(self, line: str) -> None:
        """One line."""
        words = [self.with_folders(word) for word in shlex.split(line)]
        is_wanted = words[0] != "!"
        if not is_wanted:
            words.pop(0)
        verb, *arguments = words
        if verb in ("mlbuild", "terminal", "stop"):
            self.run(verb, arguments, is_wanted)
        elif verb in ("stdout", "stderr", "exists", "cmp"):
            holds: bool = getattr(self, f"_{verb}")(*arguments)
            if holds is not is_wanted:
                raise StoryFailed("it is not so" if is_wanted else "it is so")
        elif (act := getattr(self, f"_{verb}", None)) is not None and is_wanted:
            act(*arguments)
        else:
            raise StoryFailed(f"no story knows the word `{verb}`")

    def run(self, verb: str, arguments: list[str], is_wanted: bool) -> None:
        command = list(arguments)
        sent, until = None, ""
        if verb == "stop":
            sent, until = signal.Signals[f"SIG{command.pop(0)}"], command.pop(0)
        if verb != "mlbuild":
            command.pop(0)
        argv = [sys.executable, "-P", "-m", "mlbuild", *command]
        environ = {"XDG_CACHE_HOME": str(self.cache), **self.environ}
        self.code, self.said = _run(argv, self.standing, environ, verb == "terminal", sent, until)
        for name in ("stdout", "stderr"):
            self.transcript += [f"     {name[3:]}| {part}" for part in self.said[name].splitlines()]
        self.transcript.append(f"     exit {self.code}")
        if self.code == 37 or OUR_TRACEBACK.search(self.said["stderr"] + self.said["stdout"]):
            raise StoryFailed("mlbuild has a bug: code 37 or a traceback of its own")
        if verb != "stop" and (self.code == 0) is not is_wanted:
            raise StoryFailed(f"it ended with {self.code}")

    def with_folders(self, word: str) -> str:
        for name, folder in (("WORK", self.work), ("HOME", self.home), ("CACHE", self.cache)):
            word = word.replace(f"${name}", str(folder))
        return word

    def _exit(self, code: str) -> None:
        if self.code != int(code):
            raise StoryFailed(f"it ended with {self.code}")

    def _stdout(self, pattern: str) -> bool:
        return re.search(pattern, self.said["stdout"], re.MULTILINE) is not None

    def _stderr(self, pattern: str) -> bool:
        return re.search(pattern, self.said["stderr"], re.MULTILINE) is not None

    def _exists(self, path: str) -> bool:
        return os.path.lexists(self.standing / path)

    def _cmp(self, one: str, other: str) -> bool:
        one_text, other_text = (
            self.said[name].encode() if name in self.said else (self.standing / name).read_bytes()
            for name in (one, other)
        )
        return one_text == other_text

    def _cat(self, path: str) -> None:
        self.said = {"stdout": (self.standing / path).read_text(encoding="utf-8"), "stderr": ""}

    def _edit(self, path: str, old: str, new: str) -> None:
        place = self.standing / path
        text = place.read_text(encoding="utf-8")
        if text.count(old) != 1:
            raise StoryFailed(f"`{old}` is {text.count(old)} times in {path}")
        place.write_text(text.replace(old, new), encoding="utf-8")

    def _append(self, path: str, text: str) -> None:
        with (self.standing / path).open("a", encoding="utf-8") as file:
            file.write(text + "\n")

    def _write(self, path: str, text: str) -> None:
        (self.standing / path).write_text(text + "\n", encoding="utf-8")

    def _touch(self, path: str) -> None:
        (self.standing / path).touch()

    def _rm(self, path: str) -> None:
        place = self.standing / path
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place)
        else:
            place.unlink()

    def _cp(self, one: str, other: str) -> None:
        place = self.standing / one
        if place.is_dir():
            shutil.copytree(place, self.standing / other, symlinks=True)
        else:
            shutil.copy2(place, self.standing / other)

    def _mkdir(self, path: str) -> None:
        (self.standing / path).mkdir(parents=True)

    def _damage(self, path: str) -> None:
        """Flips a bit in the middle of the first file below a folder; nothing of its stamp tells."""
        place = next(each for each in sorted((self.standing / path).rglob("*")) if each.is_file())
        before = place.stat()
        content = bytearray(place.read_bytes())
        content[len(content) // 2] ^= 1
        place.chmod(0o600)
        place.write_bytes(content)
        place.chmod(before.st_mode)
        os.utime(place, ns=(before.st_mtime_ns, before.st_mtime_ns))

    def _chmod(self, mode: str, path: str) -> None:
        (self.standing / path).chmod(int(mode, 8))

    def _link(self, target: str, path: str) -> None:
        (self.standing / path).symlink_to(target)

    def _cd(self, path: str) -> None:
        self.standing = Path(os.path.normpath(self.standing / path))

    def _env(self, setting: str) -> None:
        name, equals, value = setting.partition("=")
        if equals:
            self.environ[name] = value
        else:
            self.environ.pop(name, None)

    def _wheel(self, name: str, version: str, text: str) -> None:
        place = self.folder / "packages" / f"{name}-{version}-py3-none-any.whl"
        place.parent.mkdir(exist_ok=True)
        about = f"{name}-{version}.dist-info"
        files = {
            f"{name}.py": text.replace("\\n", "\n") + "\n",
            f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
            f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: story\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            f"{about}/RECORD": f"{name}.py,,\n{about}/METADATA,,\n{about}/WHEEL,,\n{about}/RECORD,,\n",
        }
        with zipfile.ZipFile(place, "w") as archive:
            for path, content in files.items():
                archive.writestr(zipfile.ZipInfo(path), content)
        for variable in [each for each in self.environ if each.startswith(("UV_", "PIP_"))]:
            del self.environ[variable]
        self.environ |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(place.parent), "PIP_CONFIG_FILE": os.devnull}

    def _cache(self, whose: str) -> None:
        if whose != "own":
            raise StoryFailed("write `cache own`")
        self.cache = self.folder / "cache"


def split(text: str) -> tuple[list[str], dict[str, str]]:
    """The story's lines, and its files by name."""
    script: list[str] = []
    files: dict[str, list[str]] = {}
    lines = script
    for line in text.splitlines():
        if (marker := MARKER.match(line)) is not None:
            lines = files.setdefault(marker[1], [])
        else:
            lines.append(line)
    return script, {name: "".join(f"{line}\n" for line in content) for name, content in files.items()}


def _run(
    argv: list[str], folder: Path, environ: dict[str, str], has_terminal: bool, sent: signal.Signals | None, until: str
) -> tuple[int, dict[str, str]]:
    """Runs to the end, in a process group of its own, for at most SECONDS."""
    ours, theirs = os.openpty() if has_terminal else os.pipe()
    process = subprocess.Popen(
        argv, cwd=folder, env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=theirs,
        start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    said = {"stdout": bytearray(), "stderr": bytearray()}
    assert process.stdout is not None
    readers = [_reader(process.stdout.fileno(), said["stdout"]), _reader(ours, said["stderr"])]
    deadline = time.monotonic() + SECONDS
    try:
        if sent is not None:
            matches = re.compile(until.encode())
            while not matches.search(said["stderr"]) and process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.01)  # until another process has said something: there is nothing else to wait on
            process.send_signal(sent)
        process.wait(deadline - time.monotonic())
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        said["stderr"] += f"\nended after {SECONDS:.0f}s".encode()
    for reader in readers:
        reader.join(10)
    process.stdout.close()
    os.close(ours)
    return process.returncode, {name: text.decode("utf-8", "replace") for name, text in said.items()}


def _reader(descriptor: int, into: bytearray) -> threading.Thread:
    def read() -> None:
        try:
            while chunk := os.read(descriptor, 65536):
                into.extend(chunk)
        except OSError:  # a terminal whose other side has gone
            return

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    return thread
