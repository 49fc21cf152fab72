from __future__ import annotations

import pytest

from mlbuild.diagnostics import UserError
from mlbuild.fetch.interpreter import Interpreter
from mlbuild.fetch.markers import markers_of
from mlbuild.fetch.pins import pins

A, B = "a" * 64, "b" * 64
HOLDS = markers_of(Interpreter("/python", "/", "/lib", "lib", "3.12.4"))


def test_each_package_has_a_lock_of_its_own() -> None:
    lock = f"NumPy==2.4.6 \\\n    --hash=sha256:{B} \\\n    --hash=sha256:{A}\nsix==1.17.0 --hash=sha256:{A}\n"
    assert pins(lock.encode(), "lock", HOLDS) == {
        "numpy-2.4.6.txt": f"NumPy==2.4.6 --hash=sha256:{A} --hash=sha256:{B}\n".encode(),
        "six-1.17.0.txt": f"six==1.17.0 --hash=sha256:{A}\n".encode(),
    }


def test_comments_spaces_and_order_do_not_show() -> None:
    first = f"six==1.17.0 \\\n  --hash=sha256:{A} --hash=sha256:{B}\nx==1 --hash=sha256:{A}\n"
    second = f"# made\nx==1  --hash=sha256:{A}  # via y\n\nsix==1.17.0 --hash=sha256:{B} --hash=sha256:{A}\n"
    assert pins(first.encode(), "lock", HOLDS) == pins(second.encode(), "lock", HOLDS)


def test_the_locks_options_go_with_each() -> None:
    lock = f"--only-binary :all:\nsix==1.17.0 --hash=sha256:{A}\n"
    assert pins(lock.encode(), "lock", HOLDS) == {
        "six-1.17.0.txt": f"--only-binary :all:\nsix==1.17.0 --hash=sha256:{A}\n".encode()
    }


def test_only_what_is_for_this_platform_and_interpreter_is_pinned() -> None:
    lock = f"""a==1 ; os_name == 'nt' --hash=sha256:{A}
b==1 ; python_full_version < '3.12' --hash=sha256:{A}
b==2 ; python_full_version >= '3.12' --hash=sha256:{B}
"""
    assert pins(lock.encode(), "lock", HOLDS) == {"b-2.txt": f"b==2 --hash=sha256:{B}\n".encode()}


def test_one_version_with_unlike_extras_is_two_pins() -> None:
    lock = f"a==1 --hash=sha256:{A}\na[x]==1 --hash=sha256:{A}\n"
    assert sorted(pins(lock.encode(), "lock", HOLDS)) == ["a-1-1367d894.txt", "a-1-4259374d.txt"]


def test_a_marker_that_is_none_is_told_with_its_line() -> None:
    lock = f"a==1 --hash=sha256:{A}\nb==1 ; moon == 'full' --hash=sha256:{A}\n"
    with pytest.raises(UserError) as caught:
        pins(lock.encode(), "envs/lock", HOLDS)
    (diagnostic,) = caught.value.diagnostics
    assert (str(diagnostic.location), diagnostic.message) == (
        "envs/lock:2",
        "`moon == 'full'` is no environment marker",
    )


def test_an_address_has_letters_of_its_hash_for_a_version() -> None:
    lock = f"a @ https://example.org/a-1-py3-none-any.whl --hash=sha256:{A}\n"
    assert sorted(pins(lock.encode(), "lock", HOLDS)) == ["a-ba82b7862c87.txt"]


def test_a_package_pinned_twice_in_the_same_words_is_refused() -> None:
    lock = f"six==1.17.0 --hash=sha256:{A}\nsix==1.17.0 --hash=sha256:{B}\n"
    with pytest.raises(UserError, match=r"`envs/lock` pins `six==1\.17\.0` twice"):
        pins(lock.encode(), "envs/lock", HOLDS)


def test_a_lock_that_is_no_text_is_refused() -> None:
    with pytest.raises(UserError, match="`lock` is no UTF-8 text"):
        pins(b"\xff\xfe", "lock", HOLDS)
