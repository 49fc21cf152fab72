"""Texts and bytes, for all that has no other format."""

from __future__ import annotations


def how_bytes_differ(one: bytes, other: bytes) -> tuple[str, ...]:
    """The first line of text that differs; or the first byte, and how many do."""
    try:
        texts = one.decode("utf-8"), other.decode("utf-8")
    except UnicodeDecodeError:
        return _as_bytes(one, other)
    if "\0" in texts[0] or "\0" in texts[1]:
        return _as_bytes(one, other)
    return _as_text(*texts)


def _as_text(one: str, other: str) -> tuple[str, ...]:
    before, after = one.split("\n"), other.split("\n")
    pairs = zip(before, after, strict=False)
    changed = [number for number, (left, right) in enumerate(pairs) if left != right]
    if not changed:
        return (f"{len(before) - 1} lines and {len(after) - 1} lines",)
    first = changed[0]
    words = [f"line {first + 1}: {_cut(before[first], after[first])}"]
    more = len(changed) - 1 + abs(len(before) - len(after))
    if sorted(before) == sorted(after):
        words.append("the same lines, in another order")
    elif more:
        words.append(f"and {more} more {'line' if more == 1 else 'lines'}")
    return tuple(words)


def _cut(left: str, right: str, most: int = 60) -> str:
    """Both, from a little before where they part."""
    same = next((at for at, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right)))
    start = max(0, same - 20)
    return " / ".join(
        f"`{'…' if start else ''}{text[start : start + most]}{'…' if len(text) > start + most else ''}`"
        for text in (left, right)
    )


def _as_bytes(one: bytes, other: bytes) -> tuple[str, ...]:
    shorter = min(len(one), len(other))
    # As numbers: the first byte that is not zero is the first that differs, found at the speed of memory.
    apart = int.from_bytes(one[:shorter], "big") ^ int.from_bytes(other[:shorter], "big")
    words: list[str] = []
    if len(one) != len(other):
        words.append(f"{len(one):,} bytes and {len(other):,} bytes")
    if apart:
        marks = apart.to_bytes(shorter, "big")
        count = shorter - marks.count(0)
        first = shorter - (apart.bit_length() + 7) // 8
        words.append(
            f"byte {first:,}: {one[first]:#04x} / {other[first]:#04x}; "
            f"{count:,} {'byte differs' if count == 1 else 'bytes differ'}"
        )
    return tuple(words)
