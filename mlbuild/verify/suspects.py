"""Lines of an action's own sources that look like the cause of a difference. A guess for the reader, not a proof."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from mlbuild.records import record

MOST = 5
LARGEST_SOURCE = 1 << 20

TIME = r"\btime\(|time_ns|now\(|today\(|localtime|gmtime|utcnow|\bdate\b|ZipFile|writestr|tarfile|gzip|perf_counter|monotonic"
SIGNS = {
    "path": r"getcwd|abspath|\.resolve\(|\.absolute\(|realpath|__file__|\bpwd\b|\$PWD",
    "host": r"gethostname|\buname\b|\.node\(|\bhostname\b|getfqdn",
    "user": r"gettarinfo|getuser|getuid|getgid|getlogin|expanduser|\bwhoami\b|\bid -|getpw|\.add\(|\btar\b",
    "clock": TIME,
    "time_zone": r"localtime|fromtimestamp|now\(|astimezone|strftime|mktime|\bdate\b",
    "locale": r"setlocale|getlocale|getpreferredencoding|strcoll|strxfrm|\bopen\(|\bsort\b|\bLANG\b|LC_ALL",
    "umask": r"umask|st_mode|\.add\(|\.write\(|\bstat\b|\btar\b|\bzip\b",
    "order": r"listdir|scandir|glob\(|iterdir|os\.walk|\bfind\b|\bls\b|readdir",
    "processors": r"cpu_count|sched_getaffinity|nproc|n_jobs|max_workers|num_threads|Pool\(",
    "environment": r"environ|getenv|\benv\b|printenv",
    "randomness": r"default_rng\(\)|\brandom|rand\(|randn\(|randint\(|urandom|uuid|secrets|tempfile|mktemp|shuffle|permutation"
    r"|RandomState\(\)|token_|getrandbits|RANDOM|random_state=None|seed\(\)|seed=None|seed=None",
    "time": TIME,
    "addresses": r"\bid\(|repr\(|object\(\)|__hash__|\bhash\(|empty\(|%r|!r",
    "threads": r"as_completed|imap_unordered|Thread|Pool|Executor|Queue",
    "hash_seed": r"\bset\(|frozenset|\{[^:{}]+ for |\bhash\(|\{[\"'][^:{}]*,",
}
"""What a line has that depends on it, as a regular expression."""


@record
class Suspect:
    path: str
    line: int
    text: str


def suspects(causes: Iterable[str], texts: Iterable[tuple[str, str]]) -> tuple[Suspect, ...]:
    """The first few lines of the texts, by path, that have a sign of one of the causes."""
    signs = [SIGNS[name] for name in causes if name in SIGNS]
    if not signs:
        return ()
    return tuple(_found(re.compile("|".join(signs)), texts))[:MOST]


def _found(sign: re.Pattern[str], texts: Iterable[tuple[str, str]]) -> Iterator[Suspect]:
    for path, text in texts:
        for number, line in enumerate(text.splitlines(), 1):
            words = line.strip()
            if sign.search(words) and not words.startswith(("#", "import ", "from ", '"""')):
                yield Suspect(path, number, words if len(words) <= 80 else words[:79] + "…")
