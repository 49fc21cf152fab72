"""Runs spawns on this machine so that they see their declared inputs and nothing else.

Comes in: spawns, a store, a tree store. Goes out: results whose outputs are in the store. Never: a weaker sandbox in
silence, a process that outlives its spawn, a byte of an output that a living process can still change.
"""

from mlbuild.sandbox.availability import SandboxStatus, probe
from mlbuild.sandbox.bounds import enforcement, keeping
from mlbuild.sandbox.limits import Limits
from mlbuild.sandbox.linux import LinuxRunner
from mlbuild.sandbox.own_folder import OwnFolder, remove_leftovers
from mlbuild.sandbox.plain import SALT, PlainRunner
from mlbuild.sandbox.protections import protections

__all__ = [
    "SALT",
    "Limits",
    "LinuxRunner",
    "OwnFolder",
    "PlainRunner",
    "SandboxStatus",
    "enforcement",
    "keeping",
    "probe",
    "protections",
    "remove_leftovers",
]
