"""A report says in which language it was written."""

import os
import sys
from pathlib import Path

Path(sys.argv[1]).write_text(f"language: {os.environ.get('LC_ALL', 'none')}\n")
