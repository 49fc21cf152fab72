"""The head of a compressed file bears the time."""

import gzip
import sys
from pathlib import Path

Path(sys.argv[1]).write_bytes(gzip.compress(b"weights"))
