"""Objects without a name of their own are written as Python shows them."""

import sys
from pathlib import Path


class Column:
    pass


columns = [Column(), Column()]
Path(sys.argv[1]).write_text(f"{columns!r}\n")
