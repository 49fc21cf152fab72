"""`toolchain_type` and `toolchain`: what rules ask for, and which target gives it."""

# mlbuild knows the rules itself: they decide which dependencies a target has.
toolchain_type = native.toolchain_type
toolchain = native.toolchain
