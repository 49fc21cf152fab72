"""Files are put together in the order in which the folder lists them."""

import os
import sys
from pathlib import Path

parts = [Path("parts", name).read_text() for name in os.listdir("parts")]
Path(sys.argv[1]).write_text("".join(parts))
