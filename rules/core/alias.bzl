"""`alias`: another name of a target."""

# mlbuild knows the rule itself: what depends on an alias sees the target that it stands for.
alias = native.alias
