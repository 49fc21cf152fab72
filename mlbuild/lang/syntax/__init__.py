"""From the bytes of a file to its tree, or to all that is wrong with it."""
