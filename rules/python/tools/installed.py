"""Writes what an environment consists of: the interpreter's version, then each package with its version.

installed.py OUTPUT
"""

from __future__ import annotations

import importlib.metadata
import platform
import re
import sys


def main(output: str) -> int:
    packages = {
        (re.sub(r"[-_.]+", "-", each.name).lower(), each.version) for each in importlib.metadata.distributions()
    }
    with open(output, "w", encoding="utf-8") as file:  # noqa: PTH123
        file.write(f"python {platform.python_version()}\n")
        file.writelines(f"{name} {version}\n" for name, version in sorted(packages))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
