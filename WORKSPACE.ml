# mlbuild's own workspace: `mlbuild build //...` works from a checkout. `examples/flights` is a workspace by itself.
workspace(name = "mlbuild_checkout")
