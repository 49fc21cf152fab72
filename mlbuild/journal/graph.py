"""Who makes what in a remembered build: from paths to the actions behind them."""

from __future__ import annotations

from collections.abc import Iterable

from mlbuild.journal.entry import Build, Entry
from mlbuild.terms import OUTPUT_ROOT

DERIVED = f"{OUTPUT_ROOT}/"


class Makers:
    """The actions of one build by what they make. A directory of a map action is made by what the action became."""

    def __init__(self, build: Build) -> None:
        self._build = build
        self._by_path: dict[str, str] = {path: name for name, each in build.entries.items() for path in each.outputs}
        self._became: dict[str, list[str]] = {}
        mapped = {path for each in build.entries.values() if each.how == "mapped" for path in each.outputs}
        self._known: dict[str, tuple[str, ...]] = {}
        for name, entry in build.entries.items():
            if entry.how == "mapped" or not mapped:
                continue
            for path in entry.outputs:
                folder = next((each for each in parents(path) if each in mapped), None)
                if folder is not None:
                    self._became.setdefault(folder, []).append(name)

    def of(self, path: str) -> tuple[str, ...]:
        """The actions that make what lies at the path; none for a source. Actions go by their first output."""
        if not path.startswith(DERIVED):
            return ()
        known = self._known.get(path)
        if known is None:
            known = self._known[path] = self._found(path)
        return known

    def reads(self, entry: Entry) -> tuple[str, ...]:
        """The actions whose outputs this one reads."""
        mounted = [content for _, content, is_artifact in entry.mounts if is_artifact]
        return tuple(dict.fromkeys(name for path in (*entry.inputs, *mounted) for name in self.of(path)))

    def _found(self, path: str) -> tuple[str, ...]:
        place = path
        while place:
            name = self._by_path.get(place)
            if name is not None:
                if self._build.entries[name].how != "mapped":
                    return (name,)
                return tuple(dict.fromkeys(self._became.get(place, ())))
            place = place.rpartition("/")[0]
        return ()

    def closure(self, names: Iterable[str]) -> tuple[Entry, ...]:
        """The actions and all that they need, each after what it reads."""
        entries = self._build.entries
        order: dict[str, Entry] = {}
        seen: set[str] = set()
        waiting = [(name, False) for name in reversed(list(names))]
        while waiting:
            name, is_ready = waiting.pop()
            if is_ready:
                order[name] = entries[name]
            elif name not in seen:
                seen.add(name)
                waiting.append((name, True))
                waiting += [(each, False) for each in reversed(self.reads(entries[name])) if each not in seen]
        return tuple(order.values())


def parents(path: str) -> Iterable[str]:
    """The folders that the path lies in, from the inside."""
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path
