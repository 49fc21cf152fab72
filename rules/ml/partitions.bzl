"""Which files of a table tree an action needs: chosen partitions, and in them the declared columns only."""

# As the tools spell a column's name in that of its file.
_QUOTED = {
    "!": "%21",
    "\"": "%22",
    "#": "%23",
    "$": "%24",
    "%": "%25",
    "&": "%26",
    "'": "%27",
    "(": "%28",
    ")": "%29",
    "*": "%2A",
    ",": "%2C",
    "/": "%2F",
    ":": "%3A",
    ";": "%3B",
    "<": "%3C",
    "=": "%3D",
    ">": "%3E",
    "?": "%3F",
    "[": "%5B",
    "\\": "%5C",
    "]": "%5D",
    "^": "%5E",
    "`": "%60",
    "{": "%7B",
    "|": "%7C",
    "}": "%7D",
}

WHOLE = "all"

# What the levels of a table's folder are called in messages.
TABLE = ["partition", "column"]

def column_file(column):
    """The name of a column's file."""
    return "".join([_QUOTED.get(char, char) for char in column.elems()]) + ".parquet"

def partitions_of(children, columns, what):
    """A dict from each partition's name to the files of `columns` in it (of all columns, if `None`).

    The partitions stand in their natural order: `month=2` before `month=10`.
    """
    found = {}
    for child in children:
        partition, _, name = child.tree_relative_path.partition("/")
        found.setdefault(partition, {})[name] = child
    chosen = {}
    for partition in sorted(found.keys(), key = natural_order):
        files = found[partition]
        if columns == None:
            chosen[partition] = [files[name] for name in sorted(files.keys())]
            continue
        for column in columns:
            if column_file(column) not in files:
                known = ", ".join([name[:-len(".parquet")] for name in sorted(files.keys())])
                fail("`%s` has no column `%s` in partition `%s`; it has %s" % (what, column, partition, known))
        chosen[partition] = [files[column_file(column)] for column in columns]
    return chosen

def natural_order(name):
    """A key for `sorted` under which numbers stand by their value."""
    parts = []
    digits = ""
    text = ""
    for char in name.elems():
        if char.isdigit():
            if text:
                parts.append((0, text))
                text = ""
            digits += char
        else:
            if digits:
                parts.append((1, int(digits)))
                digits = ""
            text += char
    if digits:
        parts.append((1, int(digits)))
    if text:
        parts.append((0, text))
    return parts

def folder_of(files):
    """The folder that the files of one partition lie in."""
    return files[0].dirname

def aligned(partitions, name, what):
    """The files that belong to partition `name`: those of the same partition, or all of an unpartitioned table."""
    if name in partitions:
        return partitions[name]
    if partitions.keys() == [WHOLE]:
        return partitions[WHOLE]
    fail("`%s` has no partition `%s`; it has %s" % (what, name, ", ".join(partitions.keys())))

def may_hold(partition, partition_by, predicate):
    """Whether a partition can have rows of a part, as far as its name tells.

    It tells for a range of whole numbers, when the partitions are made by that column alone.
    """
    if predicate["kind"] != "range" or partition_by != predicate["columns"]:
        return True
    value = partition.partition("=")[2]
    for bound, sign in ((predicate["from"], 1), (predicate["to"], -1)):
        if type(bound) == "int" and value.isdigit() and (int(value) - bound) * sign < 0:
            return False
    return True
