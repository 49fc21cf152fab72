"""A salt is drawn from the system."""

import os
import sys
from pathlib import Path

Path(sys.argv[1]).write_text(f"salt: {os.urandom(8).hex()}\n")
