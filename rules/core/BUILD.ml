# The rules that have nothing to do with a language: files, commands, conditions, toolchains.
