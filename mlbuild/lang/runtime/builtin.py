"""Functions of the host: what Starlark passes is bound by the Python signature, and mistakes are told as Bazel tells them."""

from __future__ import annotations

from mlbuild.diagnostics import UserError, did_you_mean
from mlbuild.lang.errors import StarlarkError, argument_message
from mlbuild.lang.runtime.thread import current
from mlbuild.lang.runtime.values import Builtin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def builtin(name: str) -> Callable[[Callable[..., Any]], Builtin]:
    """Makes a Starlark function of `def f(thread, a, b=1, /, c=2, *args, d, e=3, **kwargs)`.

    Parameters mean what they mean in Python; the thread comes first and is not seen by Starlark. `ValueError` and
    `TypeError` that the function raises become errors at the call, with their text.
    """

    def decorate(function: Callable[..., Any]) -> Builtin:
        def call(*args: Any, **kwargs: Any) -> Any:
            try:
                return function(current(), *args, **kwargs)
            except TypeError as error:
                inner = error.__traceback__
                if inner is not None and inner.tb_next is None:
                    raise _mismatch(name, function, args, kwargs, str(error)) from None
                raise StarlarkError.of("bad-arguments", f"{name}: {error}") from error
            except (UserError, UnicodeError):
                raise
            except ValueError as error:
                raise StarlarkError.of("invalid-value", f"{name}: {error}") from error

        return Builtin(name, call)

    return decorate


def _mismatch(
    name: str, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], text: str
) -> StarlarkError:
    """Why the arguments do not fit, in Bazel's words."""
    from inspect import Parameter, signature

    parameters = list(signature(function).parameters.values())[1:]
    by_place = [p for p in parameters if p.kind in (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)]
    named = {p.name: p for p in parameters if p.kind in (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)}
    takes_rest = any(p.kind is Parameter.VAR_POSITIONAL for p in parameters)
    takes_named = any(p.kind is Parameter.VAR_KEYWORD for p in parameters)

    def error(message: str, hint: str | None = None) -> StarlarkError:
        return StarlarkError.of("bad-arguments", message, hint)

    if len(args) > len(by_place) and not takes_rest:
        if not by_place:
            return error(
                f"{name}() got unexpected positional argument{'s'[: len(args) != 1]}",
                "name the arguments: `name = value`",
            )
        most = len(by_place)
        return error(f"{name}() accepts no more than {most} positional argument{'s'[: most != 1]} but got {len(args)}")
    if not takes_named:
        for keyword in kwargs:
            if keyword not in named:
                if any(p.name == keyword for p in by_place):
                    return error(f"{name}() got named argument for positional-only parameter '{keyword}'")
                close = did_you_mean(keyword, named)
                hint = f"did you mean `{close}`?" if close else None
                return error(f"{name}() got unexpected keyword argument '{keyword}'", hint)
    for parameter in by_place[: len(args)]:
        if parameter.name in kwargs and parameter.name in named:
            return error(f"{name}() got multiple values for argument '{parameter.name}'")
    needed = [p for p in by_place[len(args) :] if p.default is Parameter.empty and p.name not in kwargs]
    if needed:
        names = ", ".join(p.name for p in needed)
        return error(f"{name}() missing {len(needed)} required positional argument{'s'[: len(needed) != 1]}: {names}")
    needed = [
        p for p in named.values() if p.kind is Parameter.KEYWORD_ONLY and p.default is p.empty and p.name not in kwargs
    ]
    if needed:
        names = ", ".join(p.name for p in needed)
        return error(f"{name}() missing {len(needed)} required named argument{'s'[: len(needed) != 1]}: {names}")
    return error(argument_message(text))
