"""Ages are counted from today."""

import sys
from datetime import date
from pathlib import Path

Path(sys.argv[1]).write_text(f"age: {date.today().year - 1984}\n")
