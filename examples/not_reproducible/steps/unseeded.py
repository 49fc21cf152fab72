"""A sample is drawn by a generator that nobody seeded."""

import random
import sys
from pathlib import Path

rows = random.sample(range(1000), 5)
Path(sys.argv[1]).write_text(f"{rows}\n")
