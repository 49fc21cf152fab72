"""Pinned things from outside: interpreters, tools, packages and files, brought by digest.

Comes in: fetch actions, the user's index settings, a store. Goes out: values in the store, and which files of this host
they depend on. Never: "latest"; bytes that were not checked against what pins them; an index's address or a
credential in an output; a byte from the network that did not come through here.
"""

from mlbuild.fetch.fetcher import KINDS, HostFetcher, path_folders
from mlbuild.fetch.settings import IndexSettings, configuration_files, index_settings
from mlbuild.fetch.uv import Uv, find_uv

__all__ = [
    "KINDS",
    "HostFetcher",
    "IndexSettings",
    "Uv",
    "configuration_files",
    "find_uv",
    "index_settings",
    "path_folders",
]
