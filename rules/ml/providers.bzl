"""The glossary of the ML rules: what their targets tell each other."""

DatasetInfo = provider(
    doc = "A table, as a folder `<partition>/<column>.parquet`: a column of a partition is a file of its own.",
    fields = {
        "name": "how functions call it: the name of their parameter",
        "tree": "the folder (`File`)",
        "columns": "its columns and their types, or `None` if only a build tells",
        "key": "the columns that tell its rows apart",
        "partition_by": "the columns whose values name its partitions; empty if a row's values may be others",
        "validations": "depset of files that exist once its contracts hold; their bytes never change",
    },
)

PartInfo = provider(
    doc = "A part of a split: which rows belong to it.",
    fields = {
        "name": "how people call it: `//data:by_time.train`",
        "predicate": "a small JSON file that decides by a row's values",
        "rule": "what that file says, as a dict",
        "assignments": "a table that has the part of each row, or `None`",
        "columns": "the columns that decide",
        "validations": "depset of files that exist once the split keeps what it requires",
    },
)

ModelInfo = provider(
    doc = "Something that gives each row a score: a trained model, or a baseline that needs no training.",
    fields = {
        "name": "its label",
        "model": "the folder of the trained model, or `None`",
        "metrics": "the JSON file of what training measured, or `None`",
        "predict": "its function, as a `struct` of `text`, `sources` and `imports`",
        "features": "the `DatasetInfo` of its rows, or `None`",
        "label": "the column that it learns",
        "query": "the columns that tell queries apart",
        "params": "the JSON file of its parameters",
        "files": "the files that its functions get by name",
        "seed": "its seed",
        "env": "the `PyEnvInfo` that it runs in",
    },
)
