"""From the tree of a file to Python code."""
