"""`nix_toolchain`: a closure of the Nix store as tools for any action."""

load("@mlbuild//rules/core:providers.bzl", "ToolsInfo")

def _nix_toolchain_impl(ctx):
    if bool(ctx.file.expr) == bool(ctx.attr.store_path):
        fail("`{}` needs either an `expr` or a `store_path`".format(ctx.label))
    tree = ctx.actions.declare_directory(ctx.label.name + ".nix")
    ctx.actions.fetch(
        output = tree,
        kind = "nix",
        spec = {"store_path": ctx.attr.store_path},
        inputs = [ctx.file.expr] if ctx.file.expr else [],
        progress_message = "Asking Nix for {}".format(ctx.label),
    )
    mounts = {"nix": tree}
    return [
        DefaultInfo(files = depset()),
        OutputGroupInfo(closure = depset([tree])),
        ToolsInfo(mounts = mounts, path = "/nix/bin"),
        ToolchainInfo(mounts = mounts, path = "/nix/bin"),
    ]

nix_toolchain = rule(
    implementation = _nix_toolchain_impl,
    doc = "Programs out of the Nix store with all that they need, for the attribute `tools` of a `genrule`. Actions see them at `/nix/store`, and on their `PATH`. " +
          "Nix itself, or nix-portable, is needed by who builds it first; the closure is then in the cache.",
    attrs = {
        "expr": attr.label(
            doc = "a file with a Nix expression: a derivation, or a function of `system` that gives one; it is evaluated in Nix's pure mode",
            allow_single_file = [".nix"],
        ),
        "store_path": attr.string(doc = "a path of the Nix store (`/nix/store/HASH-NAME`) instead"),
    },
)
