"""The map of rooms is what the code is."""

import re
import subprocess
import sys
from pathlib import Path

import mlbuild
import mlbuild.terms

ROOT = Path(mlbuild.__file__).parent.parent
VOCABULARY = re.compile(r"\b(dataset|epoch|torch|lightgbm|pyarrow|pandas|numpy|sklearn)\b", re.IGNORECASE)


def test_the_import_contract_holds() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout


def test_the_builder_knows_nothing_of_machine_learning() -> None:
    said = [
        f"{path.relative_to(ROOT)}: {match.group(0)}"
        for path in sorted((ROOT / "mlbuild").rglob("*.py"))
        for match in VOCABULARY.finditer(path.read_text(encoding="utf-8"))
    ]
    assert said == []


def test_every_room_says_its_contract() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in sorted((ROOT / "mlbuild").rglob("*.py"))
        if not path.read_text(encoding="utf-8").startswith('"""')
    ]
    assert silent == []


def test_every_room_is_on_the_map_of_the_architecture_page() -> None:
    page = (ROOT / "docs/contributing/architecture.md").read_text(encoding="utf-8")
    rooms = [
        f"{path.name}/" if path.is_dir() else path.name
        for path in sorted((ROOT / "mlbuild").iterdir())
        if not path.name.startswith(("_", "."))
    ]
    assert [room for room in rooms if f"`{room}`" not in page] == []


def test_a_help_page_imports_neither_the_parser_nor_the_display() -> None:
    program = (
        "import sys, mlbuild.__main__ as main\n"
        "code = main.main(['version'], {'HOME': '/nowhere'})\n"
        "heavy = {'lark', 'rich', 'packaging', 'asyncio', 'urllib.request'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_what_every_command_imports_makes_no_dataclasses() -> None:
    """They would cost each command a third of its start (decision 10)."""
    program = (
        "import sys, mlbuild.lang, mlbuild.terms, mlbuild.session.session, mlbuild.loading, mlbuild.analysis, mlbuild.execution\n"
        "assert 'dataclasses' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_the_language_starts_without_what_only_annotations_and_mistakes_need() -> None:
    """A cached program is found and run; each of these would cost up to half of the start."""
    program = (
        "import sys\n"
        "before = set(sys.modules)\n"
        "import mlbuild.lang\n"
        "dear = {'lark', 'typing', 're', 'enum', 'collections', 'collections.abc', 'contextlib', 'dataclasses', 'functools', 'ast'}\n"
        "assert not dear & (set(sys.modules) - before), dear & (set(sys.modules) - before)\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path[:0] = {sys.path!r}\n{program}"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
