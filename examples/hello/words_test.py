"""Run by `mlbuild test //examples/hello:words_test`."""

from examples.hello.words import greeting

assert greeting("Ada") == "Hello, Ada."
