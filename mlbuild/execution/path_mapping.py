"""Names for the paths of an action that say nothing of the target, so that equal work of two targets has one key.

After Bazel's `supports-path-mapping`: the action promises that what it makes does not depend on how its paths are called.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from mlbuild.terms import OUTPUT_ROOT, SpawnAction, inputs_of


def neutral_paths(action: SpawnAction) -> Mapping[str, str]:
    """For each path that an action of the build makes: what this action sees it as. Nothing where it has not promised."""
    if not action.path_mapping:
        return {}
    made = dict.fromkeys(each.path for each in (*inputs_of(action), *action.outputs) if not each.is_source)
    return {path: f"{OUTPUT_ROOT}/{number}/{path.rpartition('/')[2]}" for number, path in enumerate(made)}


def renaming(paths: Mapping[str, str]) -> Callable[[str], str]:
    """Puts the neutral names in the place of the paths of a text, also where one begins a longer path."""
    if not paths:
        return lambda text: text
    longest_first = "|".join(re.escape(path) for path in sorted(paths, key=len, reverse=True))
    pattern = re.compile(rf"(?<![\w./-])(?:{longest_first})(?![\w.-])")
    return lambda text: pattern.sub(lambda match: paths[match[0]], text)
