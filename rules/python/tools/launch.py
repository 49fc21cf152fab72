"""Starts `python` or a console script of an environment where the user stands; without words, the interpreter.

launch.py [--imports=FOLDER] [python ARGUMENT... | SCRIPT ARGUMENT...]

FOLDER is where modules are imported from before all others, as from the folder of a program.
"""

from __future__ import annotations

import os
import sys

NOT_THERE = 127


def main(words: list[str]) -> None:
    top = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(sys.executable))))
    python = f"{top}/python"
    command = [f"{python}/lib/ld.so", "--library-path", f"{python}/lib", f"{python}/bin/python3", "-s", "-B"]
    if words and words[0].startswith("--imports="):
        folders = [words.pop(0).removeprefix("--imports=") or ".", *filter(None, [os.environ.get("PYTHONPATH")])]
        paths = ":".join(folders).split(":")
        os.environ["PYTHONPATH"] = ":".join(map(os.path.abspath, paths))
    name, *rest = words or ["python"]
    if name not in ("python", "python3"):
        scripts = f"{top}/python-packages/bin"
        there = sorted(os.listdir(scripts)) if os.path.isdir(scripts) else []
        if name not in there:
            print(
                f"error: the environment has no program `{name}`: it has {', '.join(['python', *there])}",
                file=sys.stderr,
            )
            sys.exit(NOT_THERE)
        command.append(f"{scripts}/{name}")
    # `mlbuild run` starts programs in a folder of its own; relative names are the user's.
    os.chdir(os.environ.get("BUILD_WORKING_DIRECTORY", "."))
    os.execv(command[0], [*command, *rest])


if __name__ == "__main__":
    main(sys.argv[1:])
