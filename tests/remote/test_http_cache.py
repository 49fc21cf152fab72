"""A remote cache over HTTP: what one build has made, another does not make; what goes wrong is never believed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import pytest

from mlbuild.execution.key import action_key
from mlbuild.reapi import ActionResult, OutputFile, OutputSymlink, encode_action_result, encode_directory, encode_tree
from mlbuild.records import replace
from mlbuild.remote.claims import SEAL, sealed
from mlbuild.terms import Digest, Directory, DirectoryNode, FileNode, FileValue, SpawnResult, SymlinkNode
from tests.remote.raw_http_cache import Asked, RawHttpCache, Wrong, answer
from tests.remote.small_build import BIG, EXPECTED, SMALL, SPAWNS, build

KEY = action_key(SPAWNS[0])


def test_what_one_build_gives_another_takes() -> None:
    with RawHttpCache() as server:
        first = build(server.url)
        second = build(server.url)
    assert (first.ran, first.warnings) == (["small", "tree", "big"], [])
    assert (second.ran, second.remote, second.warnings) == ([], ["small", "tree", "big"], [])
    assert first.outputs == second.outputs == EXPECTED


def test_what_a_weaker_sandbox_has_made_stays_here() -> None:
    with RawHttpCache() as server:
        build(server.url, sandbox="no-sandbox")
        assert server.kept == {}


def test_nothing_is_given_where_only_reading_is_asked_for_and_nothing_taken_where_only_writing() -> None:
    with RawHttpCache() as server:
        build(server.url, upload_results=False)
        assert server.kept == {}
        build(server.url)
        again = build(server.url, accept_cached=False)
    assert again.ran == ["small", "tree", "big"]


def test_headers_go_with_every_request() -> None:
    with RawHttpCache() as server:
        build(server.url, headers=(("x-team", "ranking"),))
        assert {asked.headers.get("x-team") for asked in server.asked} == {"ranking"}


def test_an_instance_is_a_part_of_the_cache() -> None:
    with RawHttpCache() as server:
        build(server.url, instance="team/one")
        assert {path.split("/")[1:3][0] for path in server.kept} == {"team"}
        assert build(server.url, instance="team/two").ran == ["small", "tree", "big"]


def test_a_blob_that_breaks_off_is_taken_up_where_it_ended() -> None:
    def breaks_once(server: RawHttpCache, asked: Asked) -> Iterable[bytes] | None:
        is_first = (
            asked.method == "GET" and len(server.kept.get(asked.path, b"")) == len(BIG) and "range" not in asked.headers
        )
        return [server.right(asked)[:1_000_000]] if is_first else None

    with RawHttpCache() as server:
        build(server.url)
        server.wrong = breaks_once
        second = build(server.url)
        ranges = [asked.headers["range"] for asked in server.asked if "range" in asked.headers]
    assert (second.ran, second.outputs) == ([], EXPECTED)
    assert len(ranges) == 1
    assert ranges[0] != "bytes=0-"


def on(kind: str, method: str, make: Callable[[RawHttpCache, Asked], Iterable[bytes]]) -> Wrong:
    """Wrong for requests of a kind; right for the rest."""

    def wrong(server: RawHttpCache, asked: Asked) -> Iterable[bytes] | None:
        is_meant = kind in ("any", asked.kind) and method in ("any", asked.method)
        return make(server, asked) if is_meant else None

    return wrong


def body(change: Callable[[bytes], bytes]) -> Callable[[RawHttpCache, Asked], Iterable[bytes]]:
    """The right answer with another body."""

    def make(server: RawHttpCache, asked: Asked) -> Iterable[bytes]:
        data = server.kept.get(asked.path)
        return [server.right(asked) if data is None else answer(change(data))]

    return make


def says(status: str, headers: str = "", text: bytes = b"no") -> Callable[[RawHttpCache, Asked], Iterable[bytes]]:
    return lambda server, asked: [answer(b"" if asked.method == "HEAD" else text, status, headers)]


def flipped(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1]) if data else b"x"


def endless(server: RawHttpCache, asked: Asked) -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    while not server.ended.is_set():
        yield b"10000\r\n" + b"\0" * 0x10000 + b"\r\n"


def headers_without_end(server: RawHttpCache, asked: Asked) -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\n"
    while not server.ended.is_set():
        yield b"X-More: and more\r\n" * 100


def result(**changes: object) -> Callable[[RawHttpCache, Asked], Iterable[bytes]]:
    """A result of the right form and seal that says what it should not. Its blobs are there."""

    def make(server: RawHttpCache, asked: Asked) -> Iterable[bytes]:
        digest = Digest.of(SMALL)
        server.kept[f"/cas/{digest.hash}"] = SMALL
        path = str(changes.get("path", "out/small"))
        value = FileValue(
            Digest(str(changes.get("hash", digest.hash)), int(str(changes.get("size", digest.size)))), True
        )
        data = sealed(KEY, SpawnResult(0, ((path, value),), runner="x"), {})
        return [answer(data)]

    return make


def raw(message: ActionResult) -> Callable[[RawHttpCache, Asked], Iterable[bytes]]:
    return lambda server, asked: [answer(encode_action_result(message))]


def folder(make: Callable[[RawHttpCache], bytes]) -> Callable[[RawHttpCache, Asked], Iterable[bytes]]:
    """For the action that makes a folder: a sealed result whose `Tree` is another."""

    def wrong(server: RawHttpCache, asked: Asked) -> Iterable[bytes]:
        key = action_key(SPAWNS[1])
        if key.hash not in asked.path:
            return [server.right(asked)]
        data = make(server)
        digest = Digest.of(data)
        server.kept[f"/cas/{digest.hash}"] = data
        return [answer(sealed(key, SpawnResult(0), {"out/tree": digest}))]

    return wrong


def bomb(server: RawHttpCache) -> bytes:
    """Forty folders that stand for a million million."""
    below = Directory()
    children = [below]
    for _ in range(40):
        digest = Digest.of(encode_directory(below))
        below = Directory((), (DirectoryNode("a", digest), DirectoryNode("b", digest)))
        children.append(below)
    return encode_tree(children[-1], children[:-1])


def link(target: str) -> Callable[[RawHttpCache], bytes]:
    return lambda server: encode_tree(Directory((), (), (SymlinkNode("out", target),)), ())


def file_named(name: str) -> Callable[[RawHttpCache], bytes]:
    """A tree whose file has a name that leads out of it; encoded by hand, since we would refuse to."""
    safe = encode_tree(Directory((FileNode("x" * len(name), Digest.of(SMALL)),)), ())
    return lambda server: safe.replace(b"x" * len(name), name.encode(), 1)


FAULTS: dict[str, Wrong] = {
    "wrong bytes": on("cas", "GET", body(flipped)),
    "another blob": on("cas", "GET", body(lambda data: b"another")),
    "a shorter blob": on("cas", "GET", body(lambda data: data[:-1])),
    "a longer blob": on("cas", "GET", body(lambda data: data + b"x")),
    "an empty blob": on("cas", "GET", body(lambda data: b"")),
    "a blob cut off": on("cas", "GET", lambda server, asked: [server.right(asked)[:-1]]),
    "a blob without end": on("cas", "GET", endless),
    "missing blobs behind a hit": on("cas", "GET", says("404 Not Found")),
    "compressed without being asked": on("cas", "GET", says("200 OK", "Content-Encoding: gzip\r\n", b"\x1f\x8b\x08")),
    "another range": on("cas", "GET", says("206 Partial Content", "Content-Range: bytes 7-9/10\r\n", b"abc")),
    "nothing at all": on("cas", "GET", says("204 No Content", text=b"")),
    "errors for blobs": on("cas", "any", says("500 Internal Server Error")),
    "errors for results": on("ac", "any", says("500 Internal Server Error")),
    "a storm of 503": on("any", "any", says("503 Service Unavailable", "Retry-After: 99999\r\n")),
    "a storm of 429": on("any", "any", says("429 Too Many Requests", "Retry-After: -1\r\n")),
    "a bad gateway": on("any", "any", says("502 Bad Gateway", text=b"<html>" * 1000)),
    "a redirect": on("any", "any", says("302 Found", "Location: http://127.0.0.1:9/elsewhere\r\n")),
    "no credential": on("any", "any", says("401 Unauthorized")),
    "no permission": on("any", "any", says("403 Forbidden")),
    "no permission to write": on("any", "PUT", says("403 Forbidden")),
    "no method to write": on("any", "PUT", says("405 Method Not Allowed")),
    "a full disk": on("any", "PUT", says("507 Insufficient Storage")),
    "a page of a captive portal": on("any", "any", says("200 OK", text=b"<html>please log in</html>")),
    "no answer": on("any", "any", lambda server, asked: server.stall()),
    "no answer to what is given": on("any", "PUT", lambda server, asked: server.stall()),
    "a stall within the headers": on("any", "any", lambda server, asked: (b"HTTP/1.1 200", *server.stall())),
    "a stall within a blob": on("cas", "GET", lambda server, asked: (part for some in ([server.right(asked)[:-2]], server.stall()) for part in some)),
    "a byte now and then": on("any", "any", lambda server, asked: server.drip(server.right(asked))),
    "headers without end": on("any", "any", headers_without_end),
    "a line without end": on("any", "any", lambda server, asked: [b"HTTP/1.1 200 " + b"x" * 200_000]),
    "hangs up": on("any", "any", lambda server, asked: []),
    "hangs up after results": on("cas", "any", lambda server, asked: []),
    "no HTTP": on("any", "any", lambda server, asked: [b"SSH-2.0-OpenSSH_9.2\r\n"]),
    "a length that is none": on("any", "any", lambda server, asked: [b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n"]),
    "chunks that are none": on("any", "any", lambda server, asked: [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"]),
    "results that are garbage": on("ac", "GET", body(lambda data: b"\xff" * 40)),
    "results that are empty": on("ac", "GET", body(lambda data: b"")),
    "results cut off": on("ac", "GET", body(lambda data: data[: len(data) // 2])),
    "results with a flipped bit": on("ac", "GET", body(lambda data: data.replace(b" \x01", b" \x00", 1) if b" \x01" in data else flipped(data))),
    "results without end": on("ac", "GET", endless),
    "another action's result": on("ac", "GET", lambda server, asked: [answer(sealed(Digest.of(b"other"), SpawnResult(0, (("out/small", FileValue(Digest.of(b"")),),)), {}))]),
    "a failure": on("ac", "GET", raw(ActionResult(exit_code=1))),
    "a result without a seal": on("ac", "GET", raw(ActionResult((OutputFile("out/small", Digest.of(b"")),)))),
    "a link as an output": on("ac", "GET", raw(ActionResult(output_symlinks=(OutputSymlink("out/small", "/etc/passwd"),)))),
    "an output outside": on("ac", "GET", result(path="../../outside")),
    "an absolute output": on("ac", "GET", result(path="/etc/outside")),
    "another output": on("ac", "GET", result(path="out/other")),
    "a file for a folder": on("ac", "GET", result(path="out/tree")),
    "a hash that is a path": on("ac", "GET", result(hash="../" * 21 + "x")),
    "a size beyond all disks": on("ac", "GET", result(size=1 << 62)),
    "a size that is not the blob's": on("ac", "GET", result(size=5)),
    "a folder that holds too much": on("ac", "GET", folder(bomb)),
    "a folder with a link out": on("ac", "GET", folder(link("../../../etc/passwd"))),
    "a folder with an absolute link": on("ac", "GET", folder(link("/etc/passwd"))),
    "a folder with a name that leads out": on("ac", "GET", folder(file_named("../../evil"))),
    "a folder that lacks a part": on("ac", "GET", folder(lambda server: encode_tree(Directory((), (DirectoryNode("a", Digest.of(b"gone")),)), ()))),
    "a folder that is garbage": on("ac", "GET", folder(lambda server: b"\xff\xff\xff")),
}  # fmt: skip


@pytest.mark.parametrize("wrong", FAULTS.values(), ids=FAULTS.keys())
def test_whatever_the_server_does_the_build_is_right_and_warned_about_at_most_once(wrong: Wrong) -> None:
    with RawHttpCache() as server:
        build(server.url)
        server.wrong = wrong
        built = build(server.url)
        assert built.is_ended, "it hangs"
        assert built.outputs == EXPECTED
        assert len(built.warnings) <= 1
        server.wrong = None
        after = build(server.url)
        assert after.outputs == EXPECTED


@pytest.mark.parametrize("status", ["401 Unauthorized", "302 Found"])
def test_a_secret_is_shown_to_the_named_address_alone_and_to_nobody_in_words(status: str) -> None:
    with RawHttpCache() as other, RawHttpCache() as server:
        server.wrong = on("any", "any", says(status, f"Location: {other.url}/cas/x\r\n"))
        built = build(server.url, headers=(("authorization", "Bearer s3cr3t"),))
        assert other.asked == []
        assert server.asked[0].headers["authorization"] == "Bearer s3cr3t"
    assert "s3cr3t" not in repr(built)


def test_a_result_is_for_the_very_action() -> None:
    """The server answers with the whole and right result of another action, whose output has the same path."""
    other = replace(SPAWNS[0], arguments=("small", "again"))
    with RawHttpCache() as server:
        build(server.url, SPAWNS[:1])
        mixed_up = server.kept[f"/ac/{KEY.hash}"]
        server.wrong = on("ac", "GET", lambda server, asked: [answer(mixed_up)])
        assert build(server.url, SPAWNS[:1]).ran == []
        assert build(server.url, (other,)).ran == ["small"]
    assert SEAL.encode() in mixed_up


def test_blobs_that_went_are_made_again() -> None:
    with RawHttpCache() as server:
        build(server.url)
        for path in [path for path in server.kept if path.startswith("/cas/")]:
            kept = dict(server.kept)
            del server.kept[path]
            assert build(server.url).outputs == EXPECTED
            server.kept = kept
