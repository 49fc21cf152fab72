# The rules that speak of data sets, features and models, and the small programs that their actions run.
exports_files(
    glob(["tools/*.py"]),
    visibility = ["//visibility:public"],
)
