"""Whatever an action writes, a terminal and a CI service read it as text."""

import io
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from mlbuild.terminal import Console, Style
from mlbuild.terms import Label
from mlbuild.terms.event import ActionFailed, TargetCompleted, TestFinished

OWNER = Label.parse("//models:ranker")
PIECES = st.sampled_from(
    ["\x1b]0;title\x07", "\x1b[2J", "\x9b31m", "\r", "\r\n", "\x00", "\x08", "\u202e", "::error::x", "##vso[a]b", "##[x]",
     "ERROR: ", "INFO: 1 action: 1 ran; 1.0s", "//models:ranker  PASSED in 0.1s", "\n", " ", "é", "日", "\ud800", "| a |"]
)  # fmt: skip
LOGS = st.lists(PIECES | st.text(max_size=5), max_size=12).map("".join)


@given(log=LOGS)
def test_no_log_reaches_beyond_its_own_lines(log: str) -> None:
    stream = io.StringIO()
    console = Console(stream, Style(False, False, test_output="all"), clock=lambda: 0.0)
    console.emit(ActionFailed(1, OWNER, "Train", "", ("python", log), log, log, "log", 1, (log,)))
    console.emit(TestFinished(OWNER, "FAILED", False, 0.1, "log", log))
    console.emit(TargetCompleted(OWNER, True, (log,), (log,)))
    for line in stream.getvalue().split("\n"):
        assert not [char for char in line if unicodedata.category(char) in ("Cc", "Cs") and char != "\t"]
        assert not line.strip().startswith("::") and "##[" not in line and "##vso[" not in line
        if not line.startswith((" ", "=")) and line:
            assert line.startswith(("ERROR: //models:ranker: ", "Target //models:ranker ", "//models:ranker  FAILED"))


@given(log=st.text(alphabet="ab\n", min_size=0, max_size=30_000))
def test_a_log_is_shown_up_to_a_bound(log: str) -> None:
    stream = io.StringIO()
    Console(stream, Style(False, False), clock=lambda: 0.0).emit(
        ActionFailed(1, OWNER, "Train", "", (), "exit code 1", log * 10, "log", 1)
    )
    assert len(stream.getvalue()) < 20_000 and stream.getvalue().count("\n") < 50
