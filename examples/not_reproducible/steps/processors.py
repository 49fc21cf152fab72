"""Work is cut into as many parts as the machine has processors."""

import os
import sys
from pathlib import Path

count = len(os.sched_getaffinity(0)) + (os.cpu_count() or 1)
Path(sys.argv[1]).write_text(f"{1000 // count} rows a part\n")
