"""A report says which machine made it."""

import os
import sys
from pathlib import Path

Path(sys.argv[1]).write_text(f"made on {os.uname().nodename}\n")
