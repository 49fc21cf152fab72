"""A manifest lists the modes of files that were just made."""

import os
import sys
from pathlib import Path

made = Path("/tmp/made")
made.write_text("")
Path(sys.argv[1]).write_text(f"{os.stat(made).st_mode:o}\n")
