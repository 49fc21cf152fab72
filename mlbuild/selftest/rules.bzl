"""Rules for random workspaces: lines as a folder of files (four at most), and each file of a folder mapped."""

TYPE = "@mlbuild//rules/shell:toolchain_type"

def _folder_impl(ctx):
    out = ctx.actions.declare_directory(ctx.label.name + ".dir")
    ctx.actions.run_shell(
        outputs = [out],
        inputs = ctx.files.srcs,
        arguments = [out.path, ctx.attr.word] + [file.path for file in ctx.files.srcs],
        command = "set -e; out=$1; word=$2; shift 2; n=0; mkdir -p $out; " +
                  "for f in $@; do for g in $f $f/*; do test -f $g && cat $g || true; done; done > lines; " +
                  "echo $word >> lines; while read -r line && test $n -lt 4; " +
                  "do echo $line > $out/$n; n=$((n+1)); done < lines",
        mnemonic = "Folder",
    )
    return [DefaultInfo(files = depset([out]))]

folder = rule(
    implementation = _folder_impl,
    attrs = {"srcs": attr.label_list(allow_files = True), "word": attr.string()},
    toolchains = [TYPE],
)

def _map(template_ctx, input_directories, output_directories, additional_inputs, tools, additional_params):
    shell = additional_params["shell"]
    mounts = dict(shell["links"])
    mounts["shell"] = additional_inputs["shell"]
    for member in input_directories["in"].children:
        out = template_ctx.declare_file(member.tree_relative_path, directory = output_directories["out"])
        template_ctx.run(
            outputs = [out],
            inputs = [member],
            executable = shell["argv"][0],
            arguments = shell["argv"][1:] + ["-c", "cat $1 > $2; echo $3 >> $2", "", member.path, out.path,
                                             additional_params["word"]],
            env = shell["env"],
            mounts = mounts,
            mnemonic = "Each",
        )

def _each_impl(ctx):
    out = ctx.actions.declare_directory(ctx.label.name + ".dir")
    shell = ctx.toolchains[TYPE]
    ctx.actions.map_directory(
        input_directories = {"in": ctx.files.srcs[0]},
        additional_inputs = {"shell": shell.mounts["shell"]},
        output_directories = {"out": out},
        additional_params = {
            "word": ctx.attr.word,
            "shell": {
                "argv": shell.argv,
                "env": shell.env,
                "links": {path: each for path, each in shell.mounts.items() if path != "shell"},
            },
        },
        mnemonic = "Each",
        implementation = _map,
    )
    return [DefaultInfo(files = depset([out]))]

each = rule(
    implementation = _each_impl,
    attrs = {"srcs": attr.label_list(), "word": attr.string()},
    toolchains = [TYPE],
)
