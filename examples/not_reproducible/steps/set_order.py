"""Categories are numbered in the order of a set."""

import sys
from pathlib import Path

carriers = {"UA", "AA", "B6", "DL", "EV", "MQ", "US", "WN"}
Path(sys.argv[1]).write_text("".join(f"{number} {name}\n" for number, name in enumerate(carriers)))
