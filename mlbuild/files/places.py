"""Where things lie in the user's cache folder."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mlbuild.diagnostics import ExitCode, fail
from mlbuild.terms import Digest


@dataclass(frozen=True, slots=True)
class Places:
    """The folders of one cache. All but `root` may be lost at any time: that costs time and nothing else."""

    root: Path

    @classmethod
    def of_user(cls, environ: Mapping[str, str], home: Path) -> Places:
        """As the XDG base directory specification has it: a relative `XDG_CACHE_HOME` does not count."""
        named = environ.get("XDG_CACHE_HOME", "")
        return cls((Path(named) if named.startswith("/") else home / ".cache") / "mlbuild")

    @property
    def blobs(self) -> Path:
        return self.root / "cas"

    @property
    def results(self) -> Path:
        return self.root / "ac"

    @property
    def trees(self) -> Path:
        return self.root / "trees"

    @property
    def temporary(self) -> Path:
        return self.root / "tmp"

    @property
    def programs(self) -> Path:
        """Compiled Starlark."""
        return self.root / "lang"

    def state(self, workspace: Path) -> Path:
        """What is known about one workspace, by its path: states of files, outputs, the last build."""
        return self.root / "state" / Digest.of(os.fsencode(workspace)).hash[:32]

    def make(self) -> None:
        """Makes the root, for this user alone. Raises UserError."""
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise fail(
                "cache-unusable",
                f"the cache folder `{self.root}` cannot be made: {(error.strerror or str(error)).lower()}",
                hint="make the folder above it writable for you, or name another with `--disk_cache`",
                exit_code=ExitCode.ENVIRONMENT,
            ) from error
