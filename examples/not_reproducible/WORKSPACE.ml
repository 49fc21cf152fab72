workspace(name = "not_reproducible")
