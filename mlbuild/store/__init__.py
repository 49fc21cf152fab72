"""Blobs by digest and results by key, on disk and in memory.

Comes in: bytes and results. Goes out: the same, checked, or nothing. Never: bytes that are not what their digest says,
an entry before its blobs are durable, a failure remembered.

A second door, `upkeep`, counts, checks, repairs and collects; builds do not pay for its import.
"""

from mlbuild.store.completeness import Completeness
from mlbuild.store.disk import DiskStore, ReadOnlyStore
from mlbuild.store.entries import DiskActionCache
from mlbuild.store.layered import BlobFiles, LayeredActionCache, LayeredFiles, LayeredStore
from mlbuild.store.memory import MemoryActionCache, MemoryStore

__all__ = [
    "BlobFiles", "Completeness", "DiskActionCache", "DiskStore", "LayeredActionCache", "LayeredFiles", "LayeredStore",
    "MemoryActionCache", "MemoryStore", "ReadOnlyStore",
]  # fmt: skip
