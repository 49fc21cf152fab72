"""The changes to the tree that formatting makes beyond layout, in their order: later ones build on earlier ones."""

from __future__ import annotations

from mlbuild.lang.formatting.arguments import order_kinds_of_arguments, sort_arguments
from mlbuild.lang.formatting.docstrings import indent_docstrings
from mlbuild.lang.formatting.inventory import take_inventory
from mlbuild.lang.formatting.kinds import Kind
from mlbuild.lang.formatting.labels import shorten_labels
from mlbuild.lang.formatting.lists import sort_attributes, sort_kept_sorted
from mlbuild.lang.formatting.loads import merge_loads, move_loads_up, sort_loaded_names, sort_loads
from mlbuild.lang.formatting.nodes import File
from mlbuild.lang.formatting.simplify import close_empty_calls, open_lists_in_sums, remove_parentheses, write_numbers


def rewrite(file: File, kind: Kind) -> None:
    """Makes them all."""
    if kind.is_declarative and file.has_parentheses:
        remove_parentheses(file)
    found = take_inventory(file)
    if kind.is_declarative:
        sort_arguments(found.free_calls)
        shorten_labels(found.free_calls)
        sort_attributes(found.free_calls)
    sort_kept_sorted(found.kept_sorted)
    if kind.is_declarative:
        open_lists_in_sums(found.sums)
    if kind is not Kind.WORKSPACE:
        move_loads_up(file)
    merge_loads(file)
    sort_loads(file)
    sort_loaded_names(found.loads)
    indent_docstrings(file)
    order_kinds_of_arguments(found.calls)
    write_numbers(found.numbers)
    close_empty_calls(found.calls)
