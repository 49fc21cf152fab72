"""A report says when it was made."""

import sys
import time
from pathlib import Path

Path(sys.argv[1]).write_text(f"rows: 3\nmade: {time.time()}\n")
