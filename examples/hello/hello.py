"""Greets whom the command line names."""

import sys

from examples.hello.words import greeting

for name in sys.argv[1:] or ["world"]:
    print(greeting(name))
