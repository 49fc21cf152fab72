"""Each tool is given the modules that it imports, and no others: nothing else is in its actions' keys."""

import ast
import re
from pathlib import Path

RULES = Path(__file__).parents[3] / "rules" / "ml"
TOOLS = RULES / "tools"


def imported(name: str) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse((TOOLS / f"{name}.py").read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == "rules.ml.tools":
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("rules.ml.tools."):
            found.add(node.module.rpartition(".")[2])
    return found


def closure(name: str) -> list[str]:
    found, left = {"start"}, [name, *imported("start")]
    while left:
        each = left.pop()
        if each not in found:
            found.add(each)
            left += imported(each)
    return sorted(found)


def test_every_tool_is_declared_with_what_it_imports() -> None:
    table = re.search(r"^MODULES = (\{.*?^\})", (RULES / "tools.bzl").read_text(), re.DOTALL | re.MULTILINE)
    assert table is not None
    declared = ast.literal_eval(table[1])
    assert declared == {name: closure(name) for name in declared}
    with_main = {path.stem for path in TOOLS.glob("*.py") if re.search(r"^def main\(", path.read_text(), re.MULTILINE)}
    assert with_main - {"start"} == set(declared)
