"""`config_setting`: a condition of `select()`."""

# mlbuild knows the rule itself: it decides which dependencies a target has.
config_setting = native.config_setting
