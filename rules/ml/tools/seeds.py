"""Seeds derived from (seed, label, purpose), and set before user code runs."""

from __future__ import annotations

import hashlib
import random
import sys


def derive(seed: int, label: str, purpose: str) -> int:
    """A number of 31 bits: what every library takes as a seed."""
    digest = hashlib.sha256(f"{seed}\x1f{label}\x1f{purpose}".encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1


def set_global(seed: int) -> None:
    """Seeds the global generators of `random`, numpy, and torch if it has been imported."""
    random.seed(seed)
    try:
        import numpy
    except ImportError:
        pass
    else:
        numpy.random.seed(seed)
    if (torch := sys.modules.get("torch")) is not None:
        torch.manual_seed(seed)
