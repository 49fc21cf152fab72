"""The `Fetcher` door on this host: which kinds there are, what each is remembered under, and who brings it."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from types import MappingProxyType
from typing import TYPE_CHECKING

from mlbuild.diagnostics import did_you_mean, fail
from mlbuild.fetch.collected import Collected
from mlbuild.fetch.interpreter import Interpreter, find_interpreter, plan_interpreter
from mlbuild.fetch.settings import NO_SETTINGS, IndexSettings
from mlbuild.fetch.uv import Uv, find_uv
from mlbuild.files.last_build import Witness
from mlbuild.seams import ContentStore
from mlbuild.terms import Artifact, Digest, FetchAction, FileValue, TreeValue

if TYPE_CHECKING:
    from mlbuild.fetch.locking import LockRequest

KINDS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "interpreter": ((), ("python", "libraries")),
    "host_tools": (("tools",), ("optional",)),
    "pins": ((), ("python", "extras", "groups")),
    "wheels": ((), ("python", "lock")),
    "package_file": (("package", "version", "sha256"), ("filename",)),
    "nix": ((), ("store_path",)),
    "http": (("url", "sha256"), ()),
}
"""Each kind's (mandatory, optional) words in `spec`."""

Inputs = dict[str, FileValue | TreeValue]


class HostFetcher:
    """Brings what actions name from the package index, the web and this host. Many threads may call it at once.

    `memory` is a folder of the cache where it keeps what it collected from this host; `path` are the folders of the
    user's `PATH`, where programs are looked for after the system's own folders; `environ` are the user's
    variables, of which Nix gets to see some.
    """

    def __init__(
        self,
        store: ContentStore,
        memory: str,
        settings: IndexSettings = NO_SETTINGS,
        path: tuple[str, ...] = (),
        environ: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._store = store
        self._settings = settings
        self._path = path
        self._environ = environ
        self._memory = memory
        self._collected = Collected(memory, store)
        self._lock = threading.RLock()
        self._interpreters: dict[str, Interpreter] = {}
        self._uv: Uv | None = None

    @property
    def witnesses(self) -> tuple[Witness, ...]:
        """Every file and folder of this host that what was collected depends on, as it looked."""
        return self._collected.witnesses

    def key(self, action: FetchAction, inputs: Inputs) -> Digest | None:
        """As the door says. Raises UserError."""
        spec = _checked(action)
        match action.kind:
            case "wheels":
                from mlbuild.fetch.wheels import wheels_key

                lock = inputs[_lock_of(action).path].digest
                return wheels_key(lock, self._interpreter(spec["python"]), self._find_uv().version())
            case "nix":
                from mlbuild.fetch.nix import closure_key

                expression = _expression_of(action)
                return closure_key(spec["store_path"], None if expression is None else inputs[expression.path].digest)
            case "http" | "package_file":
                from mlbuild.fetch.http import checked_sha256

                return Digest.of(f"mlbuild file, fetched\n{checked_sha256(spec['sha256'])}".encode())
            case _:
                return None

    def fetch(self, action: FetchAction, inputs: Inputs) -> FileValue | TreeValue:
        """As the door says."""
        spec = _checked(action)
        match action.kind:
            case "interpreter":
                return self._collect_interpreter(spec["python"], spec["libraries"].split())
            case "host_tools":
                return self._collect_tools(spec["tools"].split(), spec["optional"].split())
            case "pins":
                return self._take_apart(_lock_of(action), inputs, spec)
            case "wheels":
                return self._install(_lock_of(action), inputs, spec["python"], spec["lock"])
            case "nix":
                return self._ask_nix(_expression_of(action), inputs, spec["store_path"])
            case "http":
                from mlbuild.fetch.http import fetch_http

                with self._incoming() as folder:
                    return fetch_http(spec["url"], spec["sha256"], self._settings, self._store, folder)
            case _:
                from mlbuild.fetch.package_file import fetch_package_file

                wanted = (spec["package"], spec["version"], spec["sha256"], spec["filename"])
                with self._incoming() as folder:
                    return fetch_package_file(*wanted, self._find_uv(), self._store, folder)

    def lock(self, request: LockRequest, python: str = "", previous: str = "") -> str:
        """The lock that is asked for, for the interpreter that a `py_env` names. Raises UserError."""
        from mlbuild.fetch.locking import lock

        return lock(request, self._interpreter(python), self._find_uv(), previous)

    def _collect_interpreter(self, python: str, libraries: Sequence[str]) -> TreeValue:
        found = self._interpreter(python)
        parts = "interpreter", python, found.executable, found.standard_library, found.version, *sorted(libraries)
        name = "\n".join(parts)
        # Where another interpreter of the version asked for would appear.
        also = (*self._path, os.path.dirname(found.prefix)) if python and not python.startswith("/") else ()
        return self._collected.tree(name, lambda: plan_interpreter(found, also, libraries))

    def _collect_tools(self, required: list[str], optional: list[str]) -> TreeValue:
        from mlbuild.fetch.host_tools import plan_host_tools

        name = "\n".join(("host_tools", *sorted(required), "", *sorted(optional), "", *self._path))
        return self._collected.tree(name, lambda: plan_host_tools(required, optional, self._path))

    def _take_apart(self, lock: Artifact, inputs: Inputs, spec: Mapping[str, str]) -> TreeValue:
        from mlbuild.fetch.markers import markers_of
        from mlbuild.fetch.pins import pins
        from mlbuild.fetch.tree import Made, keep_tree

        extras, groups = spec["extras"].split(), spec["groups"].split()
        content = self._store.get(inputs[lock.path].digest)
        found = pins(content, lock.path, markers_of(self._interpreter(spec["python"])), extras, groups)
        return keep_tree({name: Made(content) for name, content in found.items()}, self._store).tree

    def _install(self, lock: Artifact, inputs: Inputs, python: str, shown: str) -> TreeValue:
        """`shown` is what the person knows the lock as, where it is a part of another."""
        from mlbuild.fetch.wheels import install_wheels

        content = self._store.get(inputs[lock.path].digest)
        with self._incoming() as folder:
            return install_wheels(
                content, shown or lock.path, self._interpreter(python), self._find_uv(), self._store, folder
            )

    def _ask_nix(self, expression: Artifact | None, inputs: Inputs, store_path: str) -> TreeValue:
        from mlbuild.fetch.nix import fetch_closure, find_nix, nix_environment

        content = None if expression is None else self._store.get(inputs[expression.path].digest)
        shown = store_path if expression is None else expression.path
        return fetch_closure(store_path, content, shown, find_nix(nix_environment(self._environ)), self._store)

    def _incoming(self) -> AbstractContextManager[str]:
        from mlbuild.fetch.incoming import incoming_folder

        return incoming_folder(os.path.join(self._memory, "incoming"))

    def _interpreter(self, python: str) -> Interpreter:
        with self._lock:
            if python not in self._interpreters:
                environment = dict(self._settings.environment)
                program = "" if not python or python.startswith("/") else self._find_uv().program
                self._interpreters[python] = find_interpreter(python, program, environment)
            return self._interpreters[python]

    def _find_uv(self) -> Uv:
        # uv asks `sysconfig`, which answers wrongly while another thread asks it for the first time.
        with self._lock:
            if self._uv is None:
                self._uv = find_uv(self._settings)
            return self._uv


def _checked(action: FetchAction) -> dict[str, str]:
    """The spec with every optional word there. Raises UserError for what no kind takes: a rule's mistake."""
    if action.kind not in KINDS:
        guess = did_you_mean(action.kind, KINDS)
        raise fail(
            "no-such-fetch-kind",
            f"there is no kind `{action.kind}` of fetch action",
            hint=f"did you mean `{guess}`?" if guess else f"there are {', '.join(f'`{kind}`' for kind in KINDS)}",
        )
    mandatory, optional = KINDS[action.kind]
    spec = dict(action.spec)
    for name in sorted(spec.keys() - {*mandatory, *optional}):
        raise fail("bad-fetch", f"fetch `{action.kind}` takes no `{name}`")
    for name in mandatory:
        if not spec.get(name):
            raise fail("bad-fetch", f"fetch `{action.kind}` needs `{name}`")
    return {**dict.fromkeys(optional, ""), **spec}


def _lock_of(action: FetchAction) -> Artifact:
    if len(action.inputs) != 1:
        raise fail("bad-fetch", f"fetch `{action.kind}` takes one input, the lock, not {len(action.inputs)}")
    return action.inputs[0]


def _expression_of(action: FetchAction) -> Artifact | None:
    if len(action.inputs) > 1:
        raise fail("bad-fetch", f"fetch `nix` takes at most one input, the expression, not {len(action.inputs)}")
    return action.inputs[0] if action.inputs else None


def path_folders(path: str) -> tuple[str, ...]:
    """The folders of a `PATH`, each once, relative ones left out."""
    return tuple(dict.fromkeys(folder for folder in path.split(os.pathsep) if folder.startswith("/")))
