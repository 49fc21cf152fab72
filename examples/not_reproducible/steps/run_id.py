"""Each run gets a name that no other has."""

import sys
import uuid
from pathlib import Path

Path(sys.argv[1]).write_text(f"run: {uuid.uuid4()}\n")
