"""A small editor: starts `mlbuild lsp`, speaks JSON-RPC with it, keeps what it says. Knows the protocol, not the server."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
MARK = "‸"
"""Stands for the cursor in a text."""


PATIENCE = 20
"""Seconds without a word after which the server is taken to hang."""


class Refused(Exception):
    """The server's answer was an error."""


class Server:
    """A server in a process of its own, and the conversation with it."""

    def __init__(
        self,
        folder: Path,
        cache: Path,
        *,
        encodings: list[str] | None = None,
        program: tuple[str, str] = ("-m", "mlbuild"),
    ) -> None:
        environ = {**os.environ, "XDG_CACHE_HOME": str(cache), "PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(
            [sys.executable, *program, "lsp"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder,
            env=environ,
        )
        self._number = 0
        self._unread = b""
        self.notes: list[dict[str, Any]] = []
        general = {"positionEncodings": encodings} if encodings else {}
        self.capabilities = self.ask(
            "initialize",
            {
                "processId": os.getpid(),
                "rootUri": folder.as_uri(),
                "workspaceFolders": [{"uri": folder.as_uri(), "name": "here"}],
                "capabilities": {
                    "general": general,
                    "textDocument": {"completion": {"completionItem": {"snippetSupport": True}}},
                },
            },
        )["capabilities"]
        self.tell("initialized", {})

    def ask(self, method: str, params: object) -> Any:
        """A request and its answer. Raises Refused."""
        return self.answer(self.send(method, params))

    def send(self, method: str, params: object) -> int:
        """A request whose answer is not waited for."""
        self._number += 1
        self._write({"jsonrpc": "2.0", "id": self._number, "method": method, "params": params})
        return self._number

    def answer(self, number: int) -> Any:
        """The answer to a request that was sent; what comes before it is kept."""
        while True:
            message = self._read()
            if message.get("id") == number and "method" not in message:
                if "error" in message:
                    raise Refused(message["error"]["message"])
                return message["result"]
            self._note(message)

    def tell(self, method: str, params: object) -> None:
        self._write({"jsonrpc": "2.0", "method": method, "params": params})

    def wait_for(self, method: str) -> Any:
        """The parameters of the next note of this kind."""
        while True:
            for index, note in enumerate(self.notes):
                if note["method"] == method:
                    return self.notes.pop(index)["params"]
            self._note(self._read())

    def close(self) -> int:
        """Says goodbye; returns the exit code."""
        self.ask("shutdown", None)
        self.tell("exit", None)
        return self.end()

    def end(self) -> int:
        """Hangs up; returns the exit code."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        code = self.process.wait(timeout=20)
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()
        return code

    def _note(self, message: dict[str, Any]) -> None:
        if "id" in message and "method" in message:
            self._write({"jsonrpc": "2.0", "id": message["id"], "result": None})
        else:
            self.notes.append(message)

    def _write(self, message: object) -> None:
        body = json.dumps(message).encode()
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def _read(self) -> dict[str, Any]:
        head, _, rest = self._until(lambda data: b"\r\n\r\n" in data).partition(b"\r\n\r\n")
        length = next(int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
        self._unread = rest
        body = self._until(lambda data: len(data) >= length)
        self._unread = body[length:]
        message: dict[str, Any] = json.loads(body[:length])
        return message

    def _until(self, is_enough: Callable[[bytes], bool]) -> bytes:
        assert self.process.stdout is not None
        number = self.process.stdout.fileno()
        data = self._unread
        while not is_enough(data):
            ready, _, _ = select.select([number], [], [], PATIENCE)
            if not ready:
                raise AssertionError(f"the server says nothing; it has said {self.notes}")
            if not (more := os.read(number, 1 << 16)):
                assert self.process.stderr is not None
                raise EOFError(f"the server is gone: {self.process.stderr.read().decode()}")
            data += more
        return data


class Editor:
    """An editor with a folder open; several may share a server."""

    def __init__(self, server: Server, folder: Path, files: Mapping[str, str] | None = None) -> None:
        self.server = server
        self.folder = folder
        self.ask = server.ask
        self.tell = server.tell
        self._versions: dict[str, int] = {}
        for path, text in (files or {}).items():
            self.write(path, text)

    # Files
    def write(self, path: str, text: str) -> None:
        """Puts a file on disk."""
        place = self.folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text.encode())

    def uri(self, path: str) -> str:
        return (self.folder / path).as_uri()

    def open(self, path: str, text: str | None = None) -> None:
        """Shows a file, with the text from disk or another one."""
        shown = (self.folder / path).read_bytes().decode() if text is None else text
        self._versions[path] = 1
        document = {"uri": self.uri(path), "languageId": "starlark", "version": 1, "text": shown}
        self.tell("textDocument/didOpen", {"textDocument": document})

    def change(self, path: str, *changes: Mapping[str, object] | str) -> None:
        """Changes in order: a whole text, or a change with its range."""
        self._versions[path] += 1
        self.tell(
            "textDocument/didChange",
            {
                "textDocument": {"uri": self.uri(path), "version": self._versions[path]},
                "contentChanges": [{"text": each} if isinstance(each, str) else each for each in changes],
            },
        )

    def close_all(self) -> None:
        for path in self._versions:
            self.close_file(path)

    def close_file(self, path: str) -> None:
        self.tell("textDocument/didClose", {"textDocument": {"uri": self.uri(path)}})

    def save(self, path: str) -> None:
        self.tell("textDocument/didSave", {"textDocument": {"uri": self.uri(path)}})

    # Questions
    def at(self, path: str, marked: str) -> dict[str, Any]:
        """Shows the text without its mark; returns the place of the mark as the protocol has it."""
        before, found, after = marked.partition(MARK)
        assert found, "the text has no mark"
        if path in self._versions:
            self.change(path, before + after)
        else:
            self.open(path, before + after)
        line = before.rpartition("\n")[2]
        position = {"line": before.count("\n"), "character": len(line.encode("utf-16-le")) // 2}
        return {"textDocument": {"uri": self.uri(path)}, "position": position}

    def completions(self, path: str, marked: str) -> dict[str, Any]:
        """Label -> item."""
        items = self.ask("textDocument/completion", self.at(path, marked))["items"]
        return {each["label"]: each for each in items}

    def places(self, method: str, path: str, marked: str, more: Mapping[str, object] | None = None) -> list[str]:
        """The places that are the answer, as `path:line:column`, from 1."""
        found = self.ask(f"textDocument/{method}", {**self.at(path, marked), **(more or {})})
        return [self._place(each) for each in (found if isinstance(found, list) else [found] if found else [])]

    def references(self, path: str, marked: str) -> list[str]:
        return self.places("references", path, marked, {"context": {"includeDeclaration": True}})

    def renamed(self, path: str, marked: str, name: str) -> dict[str, str]:
        """Path -> text of the files that a rename changes. Of texts of ASCII. Raises Refused."""
        edit = self.ask("textDocument/rename", {**self.at(path, marked), "newName": name})
        texts: dict[str, str] = {}
        for uri, edits in edit["changes"].items():
            where = uri.removeprefix(self.folder.as_uri() + "/")
            text = marked.replace(MARK, "") if where == path else (self.folder / where).read_text()
            for each in sorted(edits, key=lambda each: list(each["range"]["start"].values()), reverse=True):
                text = applied(text, {"textEdit": each})
            texts[where] = text
        return texts

    def _place(self, found: Mapping[str, Any]) -> str:
        start = found["range"]["start"]
        path = found["uri"].removeprefix(self.folder.as_uri() + "/")
        return f"{path.rpartition('/rules/')[2]}:{start['line'] + 1}:{start['character'] + 1}"

    def hover(self, path: str, marked: str) -> str | None:
        found = self.ask("textDocument/hover", self.at(path, marked))
        return None if found is None else str(found["contents"]["value"])

    def mistakes(self, path: str) -> list[str]:
        """What is next said to be wrong with the file: `line:column code message`, from 1."""
        while True:
            found = self.server.wait_for("textDocument/publishDiagnostics")
            if found["uri"] == self.uri(path) and found.get("version") in (self._versions.get(path), None):
                return [_told(each) for each in found["diagnostics"]]


def _told(each: Mapping[str, Any]) -> str:
    start = each["range"]["start"]
    return f"{start['line'] + 1}:{start['character'] + 1} {each['code']} {each['message']}"


def applied(text: str, item: Mapping[str, Any]) -> str:
    """The text after the completion item has been chosen. Of texts of ASCII."""
    edit = item["textEdit"]
    lines = text.replace(MARK, "").split("\n")
    start, end = edit["range"]["start"], edit["range"]["end"]
    before = "\n".join([*lines[: start["line"]], lines[start["line"]][: start["character"]]])
    after = "\n".join([lines[end["line"]][end["character"] :], *lines[end["line"] + 1 :]])
    return before + str(edit["newText"]) + after
