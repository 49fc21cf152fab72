"""Writes what an environment consists of: the interpreter's version, each package with its version, and what libraries lack.

installed.py OUTPUT
"""

from __future__ import annotations

import importlib.metadata
import platform
import re
import sys

from libraries import missing

PACKAGES, LIBRARIES = "/python-packages", ("/python/lib",)


def main(output: str) -> int:
    packages = {
        (re.sub(r"[-_.]+", "-", each.name).lower(), each.version) for each in importlib.metadata.distributions()
    }
    lacking = sorted(missing(PACKAGES, LIBRARIES).items())
    with open(output, "w", encoding="utf-8") as file:  # noqa: PTH123
        file.write(f"python {platform.python_version()}\n")
        file.writelines(f"{name} {version}\n" for name, version in sorted(packages))
        file.writelines(f"missing library {library}, wanted by {path}\n" for library, path in lacking)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
