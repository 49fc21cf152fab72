"""The language server: what an editor asks about BUILD.ml, WORKSPACE.ml and modules while they are written.

Comes in: an editor's messages (the Language Server Protocol) and its unsaved texts. Goes out: mistakes, completions, documentation,
places, edits. Loads packages by the ordinary loader. Never: analyses or builds a target, writes a file, answers from a file that
has changed since. Only this room knows pygls and lsprotocol, which `mlbuild[lsp]` brings; only `mlbuild lsp` imports it.
"""
