"""What a spawn can do, and what becomes of it."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from mlbuild.files.staging import TreeStore
from mlbuild.sandbox import LinuxRunner
from mlbuild.terms import Digest, FileValue, SpawnResult, TreeValue

LOADER = next(
    (Path(p) for p in ("/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1") if Path(p).exists()), Path("none")
)


def _output(workshop, result: SpawnResult, path: str) -> bytes:
    value = dict(result.outputs)[path]
    assert isinstance(value, FileValue)
    return workshop.store.get(value.digest)


def test_a_spawn_reads_its_inputs_and_leaves_its_outputs(workshop):
    result = workshop.sh(
        "cat a.txt models/b.txt > mlbuild-out/models/joined",
        {"a.txt": b"one\n", "models/b.txt": b"two\n"},
        output_paths=("mlbuild-out/models/joined",),
    )
    assert (result.exit_code, result.failure, result.runner) == (0, None, "linux-sandbox")
    assert result.outputs == (("mlbuild-out/models/joined", FileValue(Digest.of(b"one\ntwo\n"), is_executable=False)),)
    assert _output(workshop, result, "mlbuild-out/models/joined") == b"one\ntwo\n"


def test_logs_are_kept_apart(workshop):
    result = workshop.sh("echo out; echo err >&2")
    assert (workshop.text(result.stdout), workshop.text(result.stderr)) == ("out\n", "err\n")


def test_an_exit_code_is_a_result(workshop):
    result = workshop.sh("exit 3")
    assert (result.exit_code, result.failure, result.is_success) == (3, None, False)


def test_the_environment_is_what_was_declared(workshop):
    result = workshop.sh("env")
    assert sorted(workshop.text(result.stdout).splitlines()) == [
        "HOME=/tmp",
        "LD_LIBRARY_PATH=/shell/lib:/python/lib",
        "PATH=/shell/bin",
        "PWD=/work",
    ]


def test_a_program_is_executable_and_runs_by_a_path_without_a_slash(workshop):
    spawn = workshop.spawn(("tool", "x"), {"tool": (b"#!/hello\n", True)})
    result = workshop.runner.run(spawn)
    assert (result.exit_code, result.failure) == (127, "cannot start `tool`: No such file or directory")


def test_a_missing_program_is_named(workshop):
    result = workshop.runner.run(workshop.spawn(("bin/none",), {}))
    assert (result.exit_code, result.failure) == (127, "cannot start `bin/none`: No such file or directory")


def test_a_command_of_ten_thousand_arguments_runs(workshop):
    numbers = tuple(str(number) for number in range(10_000))
    command = (*workshop.shell_command, "-c", "echo $# $1 ${10000}; env", "sh", *numbers)
    result = workshop.runner.run(workshop.spawn(command, {}))
    assert result.failure is None
    first, *environment = workshop.text(result.stdout).splitlines()
    assert first == "10000 0 9999"
    assert sorted(environment) == [
        "HOME=/tmp",
        "LD_LIBRARY_PATH=/shell/lib:/python/lib",
        "PATH=/shell/bin",
        "PWD=/work",
    ]


def test_links_of_the_inputs_are_links(workshop):
    root = workshop.join(
        {"work": workshop.tree({"data/x": b"1\n", "alias": "data/x"}), "shell": workshop.shell},
        {"sh": "shell/bin/sh", LOADER.parent.name: "shell/lib"},
    )
    spawn = workshop.spawn((*workshop.shell_command, "-c", "cat alias; ls /sh"), {})
    result = workshop.runner.run(type(spawn)(spawn.arguments, spawn.environment, root, ()))
    assert workshop.text(result.stdout) == "1\n/sh\n"


def test_inputs_cannot_be_changed(workshop):
    blob = workshop.store.put(b"precious\n")
    before = workshop.store.path_of(blob).stat()
    result = workshop.sh(
        "for f in precious /inputs/precious; do chmod 777 $f; echo bad >> $f; mv $f other; rm -f $f; done;"
        "mkdir /inputs/new; rm -f /shell/bin/sh; chmod 777 /shell/bin/sh; echo x > /shell/bin/sh; exit 0",
        {"precious": b"precious\n"},
    )
    assert result.exit_code == 0
    after = workshop.store.path_of(blob).stat()
    assert workshop.store.get(blob) == b"precious\n"
    assert (before.st_mode, before.st_mtime_ns, before.st_uid) == (after.st_mode, after.st_mtime_ns, after.st_uid)
    assert workshop.text(workshop.sh("cat precious", {"precious": b"precious\n"}).stdout) == "precious\n"


def test_inputs_beside_outputs_are_seen(workshop):
    result = workshop.sh(
        "cat mlbuild-out/p/old > mlbuild-out/p/new; ls mlbuild-out mlbuild-out/p",
        {"mlbuild-out/p/old": b"old", "mlbuild-out/q/x": b"x"},
        output_paths=("mlbuild-out/p/new",),
    )
    assert _output(workshop, result, "mlbuild-out/p/new") == b"old"
    assert workshop.text(result.stdout) == "mlbuild-out:\np\nq\n\nmlbuild-out/p:\nnew\nold\n"


def test_an_input_where_an_output_folder_must_be_is_told(workshop):
    result = workshop.sh("true", {"p": b"file"}, output_paths=("p/out",))
    assert result.failure == "`p` is an input file, but outputs go into a folder of that name"


def test_big_folders_are_mounted_and_small_ones_linked(workshop):
    contents = {f"big/{number}": str(number).encode() for number in range(100)} | {"small/x": b"x"}
    result = workshop.sh("cat big/42 small/x; cat /proc/self/mountinfo", contents)
    text = workshop.text(result.stdout)
    assert text.startswith("42x")
    assert " /inputs/big ro," in text and " /inputs/small " not in text


def test_modes_and_times_of_inputs_do_not_depend_on_how_they_were_staged(workshop):
    program = (
        "import os\nfor p in ('.','f','d','d/1','t','big','big/1','big/t'):\n"
        " s=os.stat('/inputs/'+p); print(oct(s.st_mode), s.st_mtime_ns)"
    )
    files = {"f": b"f", "d/1": b"1", "t": (b"t", True), "big/t": (b"t", True)}
    result = workshop.py(program, files | {f"big/{n}": b"1" for n in range(100)})
    folder, file, tool = "0o40555 315532800000000000", "0o100444 315532800000000000", "0o100555 315532800000000000"
    assert workshop.text(result.stdout).splitlines() == [folder, file, folder, file, tool, folder, file, tool]


def test_a_folder_output_keeps_empty_folders_links_and_executables(workshop):
    script = "mkdir -p out/empty out/d; echo x > out/d/x; chmod 755 out/d/x; ln -s d/x out/link; ln -s ../d/x out/d/up"
    result = workshop.sh(script, output_paths=("out",), output_directories=("out",))
    assert result.failure is None
    expected = workshop.tree({"empty/": b"", "d/x": (b"x\n", True), "d/up": "../d/x", "link": "d/x"})
    assert result.outputs == (("out", TreeValue(expected)),)


def test_modes_of_outputs_are_executable_or_not(workshop):
    script = "echo a > a; echo b > b; echo c > c; chmod 000 a; chmod 4711 b; chmod 666 c"
    result = workshop.sh(script, output_paths=("a", "b", "c"))
    assert [(path, value.is_executable) for path, value in result.outputs] == [("a", False), ("b", True), ("c", False)]


def test_every_missing_output_is_named(workshop):
    result = workshop.sh("echo x > b", output_paths=("a", "b", "c/d"))
    assert result.exit_code == 0 and not result.is_success
    assert result.failure == "it ended well but did not write `a`, `c/d`"
    assert [path for path, _ in result.outputs] == ["b"]


@pytest.mark.parametrize(
    ("script", "folders", "failure"),
    [
        ("mkdir out", (), "`out` is a folder, but a file was declared"),
        ("echo > out", ("out",), "`out` is a file, but a folder was declared"),
        ("ln -s /etc/passwd out", (), "`out` is a symbolic link, not a file"),
        ("mkfifo out", (), "`out` is a named pipe, not a file"),
        ("mkdir out; mkfifo out/pipe", ("out",), "`out/pipe` is a named pipe, not a file"),
        ("mkdir out; : > out/$(printf '\\377')", ("out",), "`out` holds a file whose name is not UTF-8: b'\\xff'"),
        (
            "mkdir out; ln -s $(printf '\\377') out/link",
            ("out",),
            "`out/link` is a symbolic link whose target is not UTF-8: b'\\xff'",
        ),
        (
            "mkdir out; ln -s ../a out/link",
            ("out",),
            "`out/link` is a symbolic link to `../a`, which is not inside `out`",
        ),
        (
            "mkdir out; ln -s /etc/passwd out/link",
            ("out",),
            "`out/link` is a symbolic link to `/etc/passwd`, which is not inside `out`",
        ),
    ],
)
def test_odd_outputs_are_refused(workshop, script, folders, failure):
    result = workshop.sh(script, output_paths=("out",), output_directories=folders)
    assert (result.exit_code, result.failure, result.outputs) == (0, failure, ())


@pytest.mark.parametrize(
    ("program", "failure"),
    [
        ("import _socket; _socket.socket(1).bind('out')", "`out` is a socket, not a file"),
        ("import os; os.close(os.open('out', os.O_CREAT)); os.truncate('out', 200 << 30)",
         "`out` is 214748364800 bytes, most of them holes, and the disk has no room for so many"),
        ("import os; os.symlink('/proc/self/root/etc/passwd', 'out')", "`out` is a symbolic link, not a file"),
        ("import os; os.mknod('out', 0o20666, os.makedev(1, 3))", "it ended well but did not write `out`"),
    ],
)  # fmt: skip
def test_odder_outputs_are_refused(workshop, program, failure):
    disk = os.statvfs(workshop.home)
    if "holes" in failure and disk.f_bavail * disk.f_frsize > 200 << 30:
        pytest.skip("this disk has room for it")
    result = workshop.py(f"try:\n {program}\nexcept PermissionError: pass", output_paths=("out",))
    assert (result.failure, result.outputs) == (failure, ())


def test_files_with_two_names_are_two_files(workshop):
    result = workshop.sh("echo x > a; ln a b; ln b c; chmod 4755 c", output_paths=("a", "b", "c"))
    assert result.failure is None
    assert {value for _, value in result.outputs} == {FileValue(workshop.store.put(b"x\n"), True)}


def test_attributes_and_times_are_not_kept(workshop):
    program = "import os; open('out', 'w').close(); os.setxattr('out', 'user.x', b'y'); os.utime('out', (1, 1))"
    result = workshop.py(f"try:\n {program}\nexcept OSError: pass", output_paths=("out",))
    assert result.outputs == (("out", FileValue(workshop.store.put(b""))),)


def test_an_output_folder_replaced_by_a_link_is_not_followed(workshop):
    result = workshop.sh("rm -r p; ln -s /etc p", output_paths=("p/passwd",))
    assert result.failure == "`p` is a symbolic link, not a folder"


def test_a_timeout_ends_everything(workshop):
    started = time.monotonic()
    result = workshop.sh("setsid sleep 4444 & sleep 4444", timeout_seconds=1)
    assert time.monotonic() - started < 5
    assert (result.exit_code, result.failure) == (137, "timed out after 1 s")
    assert not _alive("4444")


def test_what_was_written_before_the_timeout_is_in_the_log(workshop):
    result = workshop.sh("echo begun; sleep 4445", timeout_seconds=3)
    assert workshop.text(result.stdout) == "begun\n"


def test_processes_left_behind_are_dead_before_outputs_are_read(workshop):
    script = "(trap '' TERM HUP INT; while :; do echo more >> out; done) & setsid sleep 4446 & echo first > out"
    result = workshop.sh(script, output_paths=("out",))
    assert result.exit_code == 0
    assert not _alive("4446")


def test_a_signal_is_named(workshop):
    result = workshop.sh("kill -ABRT $$")
    assert (result.exit_code, result.failure) == (134, "killed by SIGABRT")


def test_a_log_is_cut_and_says_so(workshop, monkeypatch):
    monkeypatch.setattr("mlbuild.sandbox.linux.LOG_LIMIT", 1 << 20)
    result = workshop.sh("seq 1 1000000")
    assert result.exit_code == 0
    text = workshop.text(result.stdout)
    assert text.startswith("1\n2\n")
    assert text.endswith("\n(mlbuild: the rest is left out: more than 1 MiB were written)\n")


def test_twenty_at_once(workshop):
    results: dict[int, SpawnResult] = {}

    def one(number: int) -> None:
        results[number] = workshop.sh(f"echo {number} > out", output_paths=("out",))

    threads = [threading.Thread(target=one, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [_output(workshop, results[number], "out") for number in range(20)] == [
        f"{number}\n".encode() for number in range(20)
    ]


def test_the_price_of_a_spawn(workshop, capsys):
    workshop.sh(":")
    started = time.monotonic()
    for _ in range(20):
        workshop.sh(":")
    with capsys.disabled():
        print(f"\n  a spawn of `sh -c :` takes {(time.monotonic() - started) * 50:.1f} ms")


def test_an_interrupt_ends_what_runs(workshop, tmp_path):
    runner, trees = _second(workshop, tmp_path)
    results: list[SpawnResult] = []
    spawn = workshop.spawn((*workshop.shell_command, "-c", "echo up; sleep 4447"), {})
    thread = threading.Thread(target=lambda: results.append(runner.run(spawn)))
    thread.start()
    _wait_until(lambda: _alive("4447"))
    runner.interrupt()
    thread.join(5)
    assert [(result.exit_code, result.failure) for result in results] == [(137, "interrupted")]
    assert not _alive("4447")
    assert runner.run(spawn).failure == "interrupted"
    runner.close()
    trees.close()


def test_nothing_is_left_on_disk(workshop, tmp_path):
    runner, trees = _second(workshop, tmp_path)
    runner.run(
        workshop.spawn((*workshop.shell_command, "-c", "mkdir -p a/b; chmod 000 a/b a"), {}, output_paths=("x",))
    )
    runner.close()
    assert os.listdir(tmp_path / "sandbox" / "runs") == []
    trees.close()


def test_the_sandbox_is_kept_when_asked(workshop, tmp_path):
    said: list[str] = []
    trees = TreeStore(tmp_path / "staged", workshop.store)
    runner = LinuxRunner(workshop.store, trees, tmp_path / "sandbox", sandbox_debug=True, say=said.append)
    spawn = workshop.spawn(
        (*workshop.shell_command, "-c", "echo hi > out"), {}, output_paths=("out",), description="greet"
    )
    runner.run(spawn)
    runner.close()
    (line,) = said
    kept = Path(line.removeprefix("sandbox of greet kept at "))
    assert (kept / "work" / "out").read_text() == "hi\n"
    trees.close()


def _second(workshop, place: Path) -> tuple[LinuxRunner, TreeStore]:
    trees = TreeStore(place / "staged", workshop.store)
    return LinuxRunner(workshop.store, trees, place / "sandbox"), trees


def _alive(mark: str) -> bool:
    """Whether a process runs `sleep MARK`."""
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                words = Path("/proc", name, "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if mark.encode() in words:
                return True
    return False


def _wait_until(claim) -> None:
    deadline = time.monotonic() + 10
    while not claim():
        assert time.monotonic() < deadline
        time.sleep(0.01)
