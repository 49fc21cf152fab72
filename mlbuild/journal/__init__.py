"""What builds were made of, kept beside the workspace's state, and compared: why did it run?

Comes in: an outcome's actions and values, and the blobs that they name. Goes out: builds as values, their differences,
and these in words. Never: a decision about what runs; a record that does not have its checksum.
"""
