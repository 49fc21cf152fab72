"""The settings of a run are kept with it, all of them."""

import os
import sys
from pathlib import Path

Path(sys.argv[1]).write_text("".join(f"{name}\n" for name in sorted(os.environ)))
