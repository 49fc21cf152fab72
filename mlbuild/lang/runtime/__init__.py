"""What compiled code does: values, their operators and methods, builtins, and what all of it costs."""
