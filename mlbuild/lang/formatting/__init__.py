"""Formats Starlark files: the same bytes as buildifier 8.2.1.

In: the text of a file that is Starlark. Out: the text in the one form, which says the same. Lines break where the person
broke them; comments stay where they are. Never: a change of what a file means, but for the order of what has none.
"""

from __future__ import annotations

from mlbuild.lang.formatting.format import format_text
from mlbuild.lang.formatting.kinds import Kind, kind_of
from mlbuild.lang.formatting.labels import keeps_strings
from mlbuild.lang.formatting.lists import keeps_order

__all__ = ["Kind", "format_text", "keeps_order", "keeps_strings", "kind_of"]
