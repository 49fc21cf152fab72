workspace(name = "libraries")
