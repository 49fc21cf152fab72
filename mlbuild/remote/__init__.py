"""A cache that others share: results and blobs over Bazel's HTTP protocol or the Remote Execution API.

Comes in: settings, a local store and action cache, a runner. Goes out: the same doors with the remote cache behind
them. Never: bytes that we have not hashed, a result without all its blobs, a credential for anyone but the endpoint that was
named, a build that fails or hangs for its cache, a result of a weaker sandbox.
"""

from mlbuild.remote.remote import Remote
from mlbuild.remote.settings import Settings, settings_of

__all__ = ["Remote", "Settings", "settings_of"]
