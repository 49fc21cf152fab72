"""A software bill of materials in CycloneDX 1.6, the same for the same environment: it holds no time and no random number.

Source: https://cyclonedx.org/docs/1.6/json/
"""

from __future__ import annotations

import json

import mlbuild
from mlbuild.environments.contents import Contents, Package

Json = dict[str, object]


def bill_of_materials(environment: Contents) -> str:
    """The document. Packages have the licence that their metadata names, and the hash of their wheel where the lock allows one only."""
    interpreter = _interpreter(environment)
    libraries = [_library(name, digest.hash) for name, digest in sorted(environment.libraries.items())]
    packages = [_package(each) for each in environment.packages.values()]
    components = [*packages, interpreter, *libraries]
    bill: Json = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "tools": {"components": [{"type": "application", "name": "mlbuild", "version": mlbuild.__version__}]},
            "component": _whole(environment),
        },
        "components": components,
        "dependencies": [
            {"ref": environment.label, "dependsOn": sorted(str(each["bom-ref"]) for each in components)},
        ],
    }
    # ASCII alone: what shows text on a terminal changes nothing of it.
    return json.dumps(bill, indent=2)


def _whole(environment: Contents) -> Json:
    trees = {"interpreter": environment.interpreter_tree, "packages": environment.packages_tree}
    return {
        "type": "platform",
        "bom-ref": environment.label,
        "name": environment.label,
        "properties": [
            *({"name": f"mlbuild:tree:{name}", "value": str(tree)} for name, tree in trees.items() if tree is not None),
            *({"name": f"mlbuild:variable:{name}", "value": text} for name, text in environment.variables.items()),
        ],
    }


def _interpreter(environment: Contents) -> Json:
    purl = f"pkg:generic/cpython@{_quoted(environment.python)}"
    return {"type": "platform", "bom-ref": purl, "name": "cpython", "version": environment.python, "purl": purl}


def _library(name: str, sha256: str) -> Json:
    return {"type": "library", "bom-ref": f"library:{name}", "name": name, "hashes": _hashes(sha256)}


def _package(package: Package) -> Json:
    # The purl type `pypi` has names in small letters, with dashes.
    purl = f"pkg:pypi/{_quoted(package.name.lower().replace('_', '-'))}@{_quoted(package.version)}"
    found: Json = {
        "type": "library",
        "bom-ref": purl,
        "name": package.name,
        "version": package.version,
        "purl": purl,
    }
    if len(package.pinned) == 1:
        found["hashes"] = _hashes(package.pinned[0])
    if package.licence_expression:
        found["licenses"] = [{"expression": package.licence_expression}]
    elif package.licence_names:
        found["licenses"] = [{"license": {"name": name}} for name in package.licence_names]
    properties = [{"name": "mlbuild:locked-sha256", "value": each} for each in package.pinned]
    if package.record is not None:
        properties.append({"name": "mlbuild:record-sha256", "value": package.record.hash})
    if properties:
        found["properties"] = properties
    return found


def _hashes(sha256: str) -> list[Json]:
    return [{"alg": "SHA-256", "content": sha256}]


def _quoted(text: str) -> str:
    from urllib.parse import quote

    return quote(text, safe=".-_~")
