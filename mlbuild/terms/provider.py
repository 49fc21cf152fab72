"""Providers: the types of the bundles of information that rules return, and the bundles."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar, Protocol

from mlbuild.diagnostics import did_you_mean


class CallSite(Protocol):
    """Of a Starlark thread, what a constructor needs: an error at the place of the call."""

    def error(self, code: str, message: str, hint: str | None = None) -> Exception: ...


class Provider:
    """The type of a bundle of information: `PyEnvInfo`. Called from Starlark, it makes an `Info`.

    Equal only to itself: a module is evaluated once, so two loads of it give the same provider. `key` is
    (module, exported name), set when the module's global is bound to it. `freeze` makes a field's value immutable.
    """

    __slots__ = ("doc", "fields", "freeze", "key", "name")
    starlark_type: ClassVar[str] = "Provider"

    def __init__(
        self,
        name: str,
        fields: tuple[str, ...] | None = None,
        key: tuple[str, str] = ("", ""),
        doc: str = "",
        freeze: Callable[[object], object] = lambda value: value,
    ) -> None:
        self.name = name
        self.fields = fields
        self.key = key
        self.doc = doc
        self.freeze = freeze

    def starlark_export(self, module_path: str, name: str) -> None:
        if not self.name:
            self.name = name
            self.key = (module_path, name)

    def starlark_repr(self) -> str:
        return f"<provider {self.name or 'without a name'}>"

    def starlark_call(self, thread: CallSite, args: tuple[object, ...], kwargs: dict[str, object]) -> Info:
        if args:
            raise thread.error(
                "bad-provider", f"`{self.name}` takes its fields by name", f"write `{self.name}(field = value)`"
            )
        if self.fields is not None:
            for name in kwargs:
                if name not in self.fields:
                    near = did_you_mean(name, self.fields)
                    hint = f"did you mean `{near}`?" if near else "its fields are " + _listed(self.fields)
                    raise thread.error("bad-provider", f"`{self.name}` has no field `{name}`", hint)
        freeze = self.freeze
        return Info(self, {name: freeze(value) for name, value in kwargs.items()})


class Info:
    """An instance of a provider: immutable; equal to another of the same provider with equal fields."""

    __slots__ = ("fields", "provider")
    starlark_type: ClassVar[str] = "struct"

    def __init__(self, provider: Provider, fields: Mapping[str, object]) -> None:
        self.provider = provider
        self.fields = fields

    def starlark_dir(self) -> tuple[str, ...]:
        return tuple(sorted(self.fields))

    def starlark_attr(self, name: str) -> object:
        value = self.fields.get(name, self)
        if value is self:
            if self.provider.fields is not None and name in self.provider.fields:
                return None
            raise KeyError(name)
        return value

    def starlark_repr(self) -> str:
        return f"{self.provider.name}({', '.join(sorted(self.fields))})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Info) and other.provider is self.provider and other.fields == self.fields

    def __hash__(self) -> int:
        return hash((id(self.provider), tuple(sorted(self.fields))))


DEFAULT_INFO = Provider("DefaultInfo", ("files", "executable"), ("", "DefaultInfo"))
OUTPUT_GROUP_INFO = Provider("OutputGroupInfo", None, ("", "OutputGroupInfo"))
RUN_INFO = Provider("RunInfo", ("arguments", "env", "inputs", "mounts", "shell"), ("", "RunInfo"))
TEST_INFO = Provider("TestInfo", ("results",), ("", "TestInfo"))
TOOLCHAIN_INFO = Provider("ToolchainInfo", None, ("", "ToolchainInfo"))
PARTS_INFO = Provider("PartsInfo", ("parts",), ("", "PartsInfo"))

BUILT_IN_PROVIDERS = (DEFAULT_INFO, OUTPUT_GROUP_INFO, RUN_INFO, TEST_INFO, TOOLCHAIN_INFO, PARTS_INFO)
"""What every rule can return without loading it. Analysis gives them their meaning."""


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names)) or "none"
