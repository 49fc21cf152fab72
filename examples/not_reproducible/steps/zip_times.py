"""Members of an archive bear the time at which they were put in."""

import sys
import zipfile

with zipfile.ZipFile(sys.argv[1], "w") as archive:
    archive.writestr("model.txt", "weights")
