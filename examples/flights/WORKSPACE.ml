workspace(name = "flights")

register_toolchains("//envs:python")
