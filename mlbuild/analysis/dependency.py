"""What an attribute lets its target depend on."""

from __future__ import annotations

from mlbuild.analysis.node import Node
from mlbuild.diagnostics import UserError, fail
from mlbuild.terms import Attribute, Label, Provider, Target
from mlbuild.terms.visibility import is_visible


def check(target: Target, attribute: Attribute, written: Label, node: Node) -> None:
    """Raises UserError (with no place) if the attribute does not take the node."""
    if node.is_file:
        _check_file(target, attribute, written, node)
    elif attribute.providers:
        if not any(all(each in node.providers for each in group) for group in attribute.providers):
            raise _missing_provider(target, attribute, node)
    elif isinstance(attribute.allow_files, tuple) and not any(
        each.path.endswith(attribute.allow_files) for each in node.artifacts()
    ):
        raise fail(
            "wrong-file",
            f"attribute `{attribute.name}` of `{target.label.short}`: `{node.label.short}` ({node.kind}) has no file "
            f"with one of the suffixes {_listed(attribute.allow_files)}",
        )
    if attribute.is_single_file and len(node.artifacts()) != 1:
        raise fail(
            "wrong-file",
            f"attribute `{attribute.name}` of `{target.label.short}` takes one file, "
            f"but `{node.label.short}` has {len(node.artifacts())}",
        )
    if attribute.is_executable and node.executable is None and not node.is_file:
        raise fail(
            "not-executable",
            f"attribute `{attribute.name}` of `{target.label.short}`: `{node.label.short}` ({node.kind}) is not executable",
        )


def check_visible(target: Target, attribute: Attribute, dependency: Target) -> None:
    """Raises UserError (with no place) if the dependency does not let the target depend on it."""
    if not is_visible(dependency.visibility, dependency.label, target.label):
        package = f"//{target.label.package}"
        raise fail(
            "not-visible",
            f"`{dependency.label.short}` is not visible to `{target.label.short}` (attribute `{attribute.name}`)",
            notes=(f"`{dependency.label.short}` is at {dependency.location}",),
            hint=f'add `visibility = ["{package}:__pkg__"]` to it, or `["//visibility:public"]`',
        )


def _check_file(target: Target, attribute: Attribute, written: Label, node: Node) -> None:
    allowed = attribute.allow_files
    if allowed is False and not (attribute.is_executable and node.files):
        raise fail(
            "wrong-file",
            f"attribute `{attribute.name}` of `{target.label.short}` takes targets, `{written.short}` is a file",
            hint=f"it wants a target with {_groups(attribute)}" if attribute.providers else None,
        )
    if (
        isinstance(allowed, tuple)
        and not written.name.endswith(allowed)
        and not any(each.path.endswith(allowed) for each in node.artifacts())
    ):
        raise fail(
            "wrong-file",
            f"attribute `{attribute.name}` of `{target.label.short}` takes files with the suffixes {_listed(allowed)}, "
            f"not `{written.short}`",
        )


def _missing_provider(target: Target, attribute: Attribute, node: Node) -> UserError:
    return fail(
        "missing-provider",
        f"attribute `{attribute.name}` of `{target.label.short}`: `{node.label.short}` ({node.kind}) "
        f"does not provide {_groups(attribute)}",
        notes=(f"`{node.label.short}` is at {node.location}",),
        hint=_providers_hint(node),
    )


def _providers_hint(node: Node) -> str:
    own = ", ".join(f"`{each.name}`" for each in node.providers)
    return f"it provides {own}"


def _groups(attribute: Attribute) -> str:
    return " or ".join(_names(group) for group in attribute.providers)


def _names(group: tuple[Provider, ...]) -> str:
    return " and ".join(f"`{each.name}`" for each in group)


def _listed(suffixes: tuple[str, ...]) -> str:
    return ", ".join(f"`{each}`" for each in suffixes)
