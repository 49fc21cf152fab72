"""Files of arrays: `.npy` and safetensors. Only the heads are parsed; Python objects are left alone."""

from __future__ import annotations

import ast
import json
import math

from mlbuild.differs.numbers import Array

NPY = b"\x93NUMPY"
LONGEST_HEAD = 16 << 20

_TENSORS = {
    "F64": "f8", "F32": "f4", "F16": "f2", "BF16": "bf", "I64": "i8", "I32": "i4", "I16": "i2", "I8": "i1", "U64": "u8",
    "U32": "u4", "U16": "u2", "U8": "u1", "BOOL": "b1",
}  # fmt: skip


def npy_arrays(data: bytes) -> dict[str, Array]:
    """The one array of a `.npy` file, without a name. Raises ValueError, SyntaxError not."""
    wide = 2 if data[6] == 1 else 4
    length = int.from_bytes(data[8 : 8 + wide], "little")
    if length > LONGEST_HEAD:
        raise ValueError("a head that long is none")
    start = 8 + wide + length
    try:
        head = ast.literal_eval(data[8 + wide : start].decode("latin-1").strip())
    except SyntaxError as error:
        raise ValueError(str(error)) from None
    kind, shape = head["descr"], head["shape"]
    if not isinstance(kind, str) or not isinstance(shape, tuple) or not all(isinstance(each, int) for each in shape):
        raise ValueError("an array of records")
    return {"": Array(kind.lstrip("<>|="), shape, data[start:], kind.startswith(">"), bool(head["fortran_order"]))}


def is_safetensors(path: str, data: bytes) -> bool:
    length = int.from_bytes(data[:8], "little")
    return path.endswith(".safetensors") and 2 <= length <= min(LONGEST_HEAD, len(data) - 8) and data[8:9] == b"{"


def safetensors_arrays(data: bytes) -> dict[str, Array]:
    """Every tensor by name, in the order of the file. Raises ValueError."""
    length = int.from_bytes(data[:8], "little")
    head = json.loads(data[8 : 8 + length])
    start = 8 + length
    found: dict[str, tuple[int, Array]] = {}
    for name, about in head.items():
        if name == "__metadata__":
            continue
        first, last = about["data_offsets"]
        shape = tuple(int(each) for each in about["shape"])
        if not 0 <= first <= last <= len(data) - start or math.prod(shape) > len(data):
            raise ValueError("a tensor outside of its file")
        kind = _TENSORS.get(about["dtype"], str(about["dtype"]))
        found[name] = (first, Array(kind, shape, data[start + first : start + last]))
    return {name: array for name, (_, array) in sorted(found.items(), key=lambda each: (each[1][0], each[0]))}
