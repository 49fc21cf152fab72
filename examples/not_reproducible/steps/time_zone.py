"""A moment is written as the clock on the wall showed it."""

import sys
from datetime import datetime
from pathlib import Path

Path(sys.argv[1]).write_text(f"{datetime.fromtimestamp(1_700_000_000)}\n")
