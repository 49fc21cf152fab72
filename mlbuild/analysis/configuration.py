"""What a build is asked for beyond its labels, and what of it `config_setting` and `select` look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mlbuild.analysis.node import Match, Settings
from mlbuild.records import field, record


@record
class Configuration:
    """`defines` are the `--define name=value` of the command line; `options` are other flags that rules may ask for."""

    defines: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)


def settings_of(define_values: Mapping[str, str], values: Mapping[str, str]) -> Settings:
    """`values = {"define": "a=b"}` is the same as `define_values = {"a": "b"}`."""
    found = {("define", name, value) for name, value in define_values.items()}
    for name, value in values.items():
        if name == "define":
            key, _, wanted = value.partition("=")
            found.add(("define", key, wanted))
        else:
            found.add(("option", name, value))
    return frozenset(found)


def match(settings: Settings, configuration: Configuration) -> Match:
    said = {"define": configuration.defines, "option": configuration.options}
    return Match(settings, all(said[kind].get(name) == value for kind, name, value in settings))


def most_specific(matches: Sequence[Match]) -> tuple[int, ...]:
    """Of matching settings, the indices of those that no other refines (that asks for all of it and more)."""
    return tuple(
        index for index, each in enumerate(matches) if not any(each.settings < other.settings for other in matches)
    )
