"""A report says who made it."""

import os
import sys
from pathlib import Path

Path(sys.argv[1]).write_text(f"made by {os.getuid()}\n")
