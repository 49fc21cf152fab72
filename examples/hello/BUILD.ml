# The smallest things that can be built: a file made by a shell command, a program, and a test of it.
genrule(
    name = "greeting",
    outs = ["greeting.txt"],
    cmd = "echo 'Hello from a sandbox that sees nothing else.' > $@",
)

py_library(
    name = "words",
    srcs = ["words.py"],
)

py_binary(
    name = "hello",
    srcs = ["hello.py"],
    deps = [":words"],
)

py_test(
    name = "words_test",
    srcs = ["words_test.py"],
    deps = [":words"],
)
