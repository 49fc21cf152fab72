"""A manifest lists where files lie, from the root of the machine."""

import os
import sys
from pathlib import Path

Path(sys.argv[1]).write_text(f"{os.path.abspath('steps')}\n")
