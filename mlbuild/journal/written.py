"""From what a build did to what the journal keeps: plain values, gathered once, when everything is over."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from mlbuild.terms import (
    Action,
    Artifact,
    FetchAction,
    FileValue,
    Label,
    MapAction,
    Select,
    SpawnAction,
    Target,
    TreeValue,
    inputs_of,
    outputs_of,
)

End = tuple[str, str, float]
"""How an action ended, the hash of its key (or nothing), and the seconds that it took."""


def plain_body(
    actions: Mapping[int, Action],
    ends: Mapping[int, End],
    values: Mapping[Artifact, FileValue | TreeValue],
    target_of: Callable[[Label], object],
) -> tuple[object, ...]:
    """All that marshal needs to keep of a build. `target_of` gives what a label names."""
    entries: list[tuple[object, ...]] = []
    owners: dict[Label, str] = {}
    environments: dict[int, tuple[tuple[str, str], ...]] = {}
    for index in sorted(actions):
        action = actions[index]
        outputs = outputs_of(action)
        end = ends.get(index)
        if end is None:
            if not isinstance(action, MapAction) or not outputs:
                continue  # the build ended before it was looked at
            end = ("mapped", "", 0.0)
        owner = owners.get(action.owner)
        if owner is None:
            owner = owners[action.owner] = action.owner.short
        if isinstance(action, SpawnAction):
            known = environments.get(id(action.environment))
            if known is None:
                known = environments[id(action.environment)] = tuple(sorted(action.environment))
            entries.append(
                (
                    owner, action.mnemonic, *end,
                    tuple([each if isinstance(each, str) else f"{each.directory.path}/*" for each in action.arguments]),
                    known, action.platform,
                    tuple([
                        (each.path, each.content, False) if isinstance(each.content, str)
                        else (each.path, each.content.path, True)
                        for each in action.mounts
                    ]),
                    action.timeout_seconds,
                    tuple([each.path for each in action.inputs]),
                    tuple([each.path for each in outputs]),
                )
            )  # fmt: skip
        else:
            spec = action.spec if isinstance(action, FetchAction) else ()
            inputs = tuple([each.path for each in inputs_of(action)])
            paths = tuple([each.path for each in outputs])
            entries.append((owner, action.mnemonic, *end, (), spec, (), (), 0, inputs, paths))
    kept: dict[str, tuple[str, str, int]] = {}
    levels: dict[str, tuple[str, ...]] = {}
    for artifact, value in values.items():
        digest = value.digest
        if artifact.levels:
            levels[artifact.path] = artifact.levels
        if isinstance(value, TreeValue):
            kept[artifact.path] = ("tree", digest.hash, digest.size)
        else:
            kept[artifact.path] = ("executable" if value.is_executable else "file", digest.hash, digest.size)
    return entries, kept, _targets(owners, target_of), levels


def _targets(owners: Mapping[Label, str], target_of: Callable[[Label], object]) -> dict[str, tuple[object, ...]]:
    texts: dict[int, str] = {}
    found: dict[str, tuple[object, ...]] = {}
    for label, text in owners.items():
        target = target_of(label)
        if isinstance(target, Target):
            where = target.location
            attributes = {
                name: value if value.__class__ is str else _plain(value, texts)
                for name, value in target.attributes.items()
            }
            found[text] = (target.rule.name, where.path, where.line, attributes)
    return found


_AS_THEY_ARE = frozenset((str, int, bool, float, type(None)))


def _plain(value: object, texts: dict[int, str]) -> object:
    """The value as marshal takes it. Labels live as long as their targets, so each is spelled out once."""
    if value.__class__ in _AS_THEY_ARE:
        return value
    if isinstance(value, Label):
        text = texts.get(id(value))
        if text is None:
            text = texts[id(value)] = value.short
        return text
    if isinstance(value, list | tuple):
        return [_plain(each, texts) for each in value]
    if isinstance(value, Mapping):
        return {_name(key): _plain(each, texts) for key, each in value.items()}
    if isinstance(value, Select):
        return {f"select {index}": _select(part, texts) for index, part in enumerate(value.parts)}
    return str(value)


def _select(part: object, texts: dict[int, str]) -> object:
    cases: Iterable[tuple[object, object]] | None = getattr(part, "cases", None)
    if cases is None:
        return _plain(part, texts)
    return {_name(condition): _plain(each, texts) for condition, each in cases}


def _name(key: object) -> str:
    return key.short if isinstance(key, Label) else str(key)
