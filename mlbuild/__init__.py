"""mlbuild: a hermetic build system for machine learning."""

__version__ = "0.1.0"
