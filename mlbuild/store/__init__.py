"""Blobs by digest and results by key, on disk and in memory.

Comes in: bytes and results. Goes out: the same, checked, or nothing. Never: bytes that are not what their digest says,
an entry before its blobs are durable, a failure remembered.
"""

from mlbuild.store.collecting import Collected, collect, last_collection
from mlbuild.store.completeness import Completeness
from mlbuild.store.disk import DiskStore
from mlbuild.store.entries import DiskActionCache
from mlbuild.store.layered import LayeredActionCache, LayeredFiles, LayeredStore
from mlbuild.store.memory import MemoryActionCache, MemoryStore
from mlbuild.store.survey import amounts
from mlbuild.store.verifying import Verified, repair, verify

__all__ = [
    "Collected", "Completeness", "DiskActionCache", "DiskStore", "LayeredActionCache", "LayeredFiles", "LayeredStore",
    "MemoryActionCache", "MemoryStore", "Verified", "amounts", "collect", "last_collection", "repair", "verify",
]  # fmt: skip
