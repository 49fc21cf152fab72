"""How two files of one format differ, in its own terms: the tensor, the column and line, the member, the key.

Comes in: bytes that nobody trusts. Goes out: a few lines for a person. Never: a byte of them executed, a pickle loaded, more
unpacked than a limit.
"""

from mlbuild.differs.formats import how_they_differ

__all__ = ["how_they_differ"]
