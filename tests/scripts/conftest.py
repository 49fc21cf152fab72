"""Every `tests/scripts/**/*.txt` is a test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scripts.story import Story, StoryFailed


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    if file_path.suffix == ".txt":
        return StoryFile.from_parent(parent, path=file_path)
    return None


class StoryFile(pytest.File):
    def collect(self) -> Iterator[pytest.Item]:
        yield StoryItem.from_parent(self, name=self.path.stem)


class StoryItem(pytest.Item):
    def runtest(self) -> None:
        # pytest gives no public way to a temporary folder outside of fixtures.
        factory = self.config._tmp_path_factory  # type: ignore[attr-defined]
        folder = factory.mktemp(self.path.stem.replace(" ", "_"), numbered=True)
        Story(self.path.read_text(encoding="utf-8"), folder, self._shared_cache(factory)).tell()

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: object = None) -> str:
        if isinstance(excinfo.value, StoryFailed):
            return str(excinfo.value)
        return str(super().repr_failure(excinfo))

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, 0, f"story: {self.path.stem}"

    def _shared_cache(self, factory: pytest.TempPathFactory) -> Path:
        """The folder that the end-to-end tests use too, so that interpreters and packages are made once a session."""
        root: Path = factory.getbasetemp()
        if os.environ.get("PYTEST_XDIST_WORKER"):
            root = root.parent
        folder = root / "session-cache"
        folder.mkdir(exist_ok=True)
        return folder
