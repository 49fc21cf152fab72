"""What a person sees of a build."""

import io

from mlbuild.diagnostics import Diagnostic, ExitCode, Location
from mlbuild.terminal import Console, ListSink, ManySinks, Style
from mlbuild.terms import Label
from mlbuild.terms.event import (
    ActionFailed,
    ActionFinished,
    ActionRunning,
    ActionStarted,
    BuildFinished,
    Event,
    ExecutionPlanned,
    PhaseStarted,
    TargetCompleted,
    TestFinished,
    Warned,
)

RANKER = Label.parse("//models:ranker")


def shown(*events: Event, style: Style = Style(False, False)) -> str:
    stream = io.StringIO()
    console = Console(stream, style, clock=lambda: 0.0)
    for event in events:
        console.emit(event)
    console.close()
    return stream.getvalue()


def test_the_last_line_counts_what_ran_and_what_was_cached() -> None:
    done = BuildFinished(ExitCode.SUCCESS, 4.23, actions=43, ran=3, cached=37, cached_remotely=1, internal=2)
    assert shown(done) == "INFO: 41 actions: 3 ran, 37 cached locally, 1 cached remotely; 4.2s\n"


def test_a_build_with_nothing_to_do_says_so() -> None:
    assert shown(BuildFinished(ExitCode.SUCCESS, 0.04, actions=41, cached=41)) == (
        "INFO: 41 actions: 0 ran, 41 cached locally; 0.0s\n"
    )


def test_a_failure_shows_why_the_logs_end_and_where_the_whole_lies() -> None:
    log = "".join(f"line {number}\n" for number in range(50)) + "\x1b[31mno such column: arr_delai\x07\n"
    failed = ActionFailed(
        1, RANKER, "Train", "Training", ("python", "train me.py"), "exit code 1", log, "mlbuild-out/logs/x.log", 1,
        ("declare it",),
    )  # fmt: skip
    text = shown(failed)
    assert text.startswith(
        "ERROR: //models:ranker: Train failed: exit code 1\n  command: python 'train me.py'\n  | … 11 lines before\n  | line 11\n"
    )
    assert text.endswith(
        "  | \\x1b[31mno such column: arr_delai\\x07\n  hint: declare it\n  whole log: mlbuild-out/logs/x.log\n"
    )


def test_a_long_command_is_cut_in_the_middle_unless_it_is_asked_for() -> None:
    words = ("../python/lib/ld.so", *[f"--argument={number}" for number in range(40)], "the_end")
    failed = ActionFailed(1, RANKER, "Train", "", words, "exit code 1", "", "", 1)
    (line,) = [line for line in shown(failed).splitlines() if "command" in line]
    assert line.startswith("  command: ../python/lib/ld.so --argument=0 --argum … ")
    assert line.endswith(" the_end (whole with `--verbose_failures`)")
    assert len(line) < 220
    whole = shown(failed, style=Style(False, False, verbose_failures=True))
    assert f"  command: {' '.join(words)}\n" in whole


def test_outputs_and_reports_are_listed() -> None:
    done = TargetCompleted(RANKER, True, ("mlbuild-out/models/ranker",), ("ndcg@3  0.96\n",))
    assert shown(done) == ("Target //models:ranker up-to-date:\n  mlbuild-out/models/ranker\n\n  ndcg@3  0.96\n")


def test_a_failed_test_shows_its_log_and_a_passed_one_does_not() -> None:
    failed = TestFinished(RANKER, "FAILED", False, 0.31, "mlbuild-out/testlogs/x/test.log", "origin  LGA  0.1\n")
    assert shown(failed) == (
        "==== Log of //models:ranker:\n  | origin  LGA  0.1\n==== whole log: mlbuild-out/testlogs/x/test.log\n"
        "//models:ranker  FAILED in 0.3s\n"
    )
    passed = TestFinished(RANKER, "PASSED", True, 0.0, "x", "a long log")
    assert shown(passed) == "//models:ranker  (cached) PASSED\n"
    assert "a long log" in shown(passed, style=Style(False, False, test_output="all"))


def test_a_warning_keeps_its_hint() -> None:
    assert shown(Warned(Diagnostic("cache-not-writable", "results are not kept", hint="make it writable"))) == (
        "warning[cache-not-writable]: results are not kept\n  hint: make it writable\n"
    )


def test_what_a_build_file_prints_is_shown_with_its_place() -> None:
    printed = Warned(Diagnostic("print", "hi\x1b[31m", Location("a/BUILD.ml", 2, 1)), "info")
    assert shown(printed) == "INFO: a/BUILD.ml:2:1: hi\\x1b[31m\n"


def test_a_pipe_gets_no_control_codes_and_nothing_for_each_cached_action() -> None:
    cached = [ActionFinished(number, RANKER, "Train", "cached", 0.0, 0.0) for number in range(1000)]
    assert shown(PhaseStarted("execution"), ExecutionPlanned(1000), *cached) == ""


def test_a_pipe_gets_a_line_now_and_then_about_what_runs_longest() -> None:
    now = [0.0]
    stream = io.StringIO()
    console = Console(stream, Style(False, False), clock=lambda: now[0])
    console.emit(PhaseStarted("execution"))
    console.emit(ExecutionPlanned(3))
    console.emit(ActionStarted(1, RANKER, "Train", "Training //models:ranker", 0.0))
    console.emit(ActionRunning(1, (), ()))
    now[0] = 6.0
    console.tick()
    now[0] = 7.0
    console.emit(ExecutionPlanned(4))
    assert stream.getvalue() == "[0 / 3] 0 ran, 0 cached, 3 to go; Training //models:ranker 6.0s\n"
    console.close()


def test_the_longer_a_build_takes_the_rarer_are_its_lines() -> None:
    now = [0.0]
    stream = io.StringIO()
    console = Console(stream, Style(False, False), clock=lambda: now[0])
    console.emit(PhaseStarted("execution"))
    for now[0] in range(3600):
        console.tick()
    console.close()
    assert 60 < stream.getvalue().count("\n") < 100


def test_a_dumb_terminal_a_pipe_and_ci_are_not_redrawn() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    auto = {"color": "auto", "curses": "auto"}
    assert Style.choose(Terminal(), {"TERM": "xterm"}, **auto) == Style(True, True)
    assert Style.choose(Terminal(), {"TERM": "dumb"}, **auto) == Style(False, False)
    assert Style.choose(io.StringIO(), {"TERM": "xterm"}, **auto) == Style(False, False)
    assert Style.choose(Terminal(), {"TERM": "xterm", "CI": "true"}, **auto) == Style(False, True)
    assert Style.choose(Terminal(), {"TERM": "xterm", "NO_COLOR": "1"}, **auto) == Style(True, False)


def live(*events: Event, took: float) -> tuple[Console, io.StringIO]:
    now = [0.0]
    stream = io.StringIO()
    console = Console(stream, Style(True, False), clock=lambda: now[0])
    for event in events:
        console.emit(event)
    now[0] = took
    return console, stream


def test_the_live_display_shows_what_runs_and_leaves_only_the_results() -> None:
    running = [
        each
        for number in range(6)
        for each in (ActionStarted(number, RANKER, "Train", f"Training {number}", 0.0), ActionRunning(number, (), ()))
    ]
    console, stream = live(PhaseStarted("execution"), ExecutionPlanned(8), *running, took=2.5)
    assert console.lines() == [
        "[0 / 8] 0 ran, 0 cached, 8 to go",
        "    2.5s  Training 0",
        "    2.5s  Training 1",
        "    2.5s  Training 2",
        "    2.5s  Training 3",
        "          … and 2 more",
    ]
    console.emit(BuildFinished(ExitCode.SUCCESS, 1.0, actions=1, ran=1))
    assert stream.getvalue().endswith("INFO: 1 action: 1 ran; 1.0s\n")
    assert "\x1b[?25l" not in stream.getvalue()  # the cursor is never hidden: nobody has to bring it back


def test_a_build_that_is_over_at_once_draws_nothing() -> None:
    console, stream = live(PhaseStarted("loading"), PhaseStarted("execution"), took=0.1)
    console.emit(BuildFinished(ExitCode.SUCCESS, 0.1, actions=1, cached=1))
    assert stream.getvalue() == "INFO: 1 action: 0 ran, 1 cached locally; 0.1s\n"


def test_more_results_than_wanted_are_counted_and_failures_are_shown_all_the_same() -> None:
    done = [TargetCompleted(Label.parse(f"//x:{name}"), name != "c", (f"mlbuild-out/x/{name}",)) for name in "abcd"]
    text = shown(*done, BuildFinished(ExitCode.BUILD_FAILED, 1.0), style=Style(False, False, show_result=1))
    assert text.startswith(
        "Target //x:a up-to-date:\n  mlbuild-out/x/a\n"
        "Target //x:c was not built\n"
        "… and 2 more up-to-date (`--show_result=N` lists more)\n"
    )


def test_a_log_gives_no_commands_to_a_ci_service() -> None:
    log = "::set-env name=PATH::/evil\n  ::error::x\n##vso[task.setvariable variable=a]b\nx ##[error]y\na::b\n"
    failed = ActionFailed(1, RANKER, "Train", "", (), "exit code 1", log, "", 1)
    report = TargetCompleted(RANKER, True, (), (log,))
    for text in (shown(failed), shown(report)):
        assert "##[" not in text and "##vso[" not in text
        assert not any(line.strip().startswith("::") for line in text.splitlines())
        assert "a::b" in text


def test_the_command_of_an_action_is_shown_as_a_shell_takes_it() -> None:
    event = ActionRunning(1, ("python", "train me.py"), (("SEED", "a b"),))
    assert shown(event, style=Style(False, False, subcommands=True)).endswith(
        "\n  env - 'SEED=a b' python 'train me.py'\n"
    )


def test_a_watcher_that_fails_is_left_out_and_the_others_go_on() -> None:
    class Broken:
        def emit(self, event: Event) -> None:
            raise OSError("the disk is full")

    complaints: list[str] = []
    kept = ListSink()
    sinks = ManySinks(Broken(), kept, complain=complaints.append)
    sinks.emit(PhaseStarted("loading"))
    sinks.emit(PhaseStarted("analysis"))
    assert (len(kept.events), complaints) == (2, ["WARNING: Broken is told no more: the disk is full"])


def test_a_command_of_several_lines_is_shown_on_one() -> None:
    event = ActionRunning(1, ("sh", "-c", "echo a\necho 'b'"), ())
    assert shown(event, style=Style(False, False, subcommands=True)).endswith(
        r"  env - sh -c $'echo a\necho \'b\''" + "\n"
    )
