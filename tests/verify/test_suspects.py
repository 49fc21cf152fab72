"""Which lines are shown as the likely cause."""

import pytest

from mlbuild.verify.holds import HOLDS
from mlbuild.verify.suspects import SIGNS, Suspect, suspects
from mlbuild.verify.variations import VARIATIONS


@pytest.mark.parametrize(
    ("cause", "line"),
    [
        ("time", "stamp = time.time()"),
        ("clock", "year = datetime.now().year"),
        ("randomness", "rng = default_rng()"),
        ("order", "for name in os.listdir(folder):"),
        ("processors", "pool = Pool(os.cpu_count())"),
        ("path", "text = str(Path('x').resolve())"),
        ("hash_seed", "for word in set(words):"),
        ("addresses", "key = id(row)"),
    ],
)
def test_the_line_is_found_with_its_number(cause: str, line: str) -> None:
    assert suspects([cause], [("a.py", f"import os\n\n    {line}\nprint(1)\n")]) == (Suspect("a.py", 3, line),)


def test_a_line_without_a_sign_of_the_cause_is_not_shown() -> None:
    assert suspects(["order"], [("a.py", "stamp = time.time()\nnames = sorted(words)\n")]) == ()


def test_every_cause_has_a_sign() -> None:
    assert {each.name for each in (*VARIATIONS, *HOLDS)} == set(SIGNS)
