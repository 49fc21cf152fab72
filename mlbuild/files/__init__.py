"""The local disk: what is read, staged, collected, placed and locked there.

Comes in: paths, values, stores. Goes out: bytes by digest, files in place. Never: a decision about a build; a path that
leads out of its root; a half-written file under a final name.
"""
