"""An editor for each test, with a workspace of its own; one server for all of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.language_server.editor import Editor, Server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    found = Server(tmp_path_factory.mktemp("opened"), tmp_path_factory.mktemp("cache"))
    yield found
    assert found.close() == 0


@pytest.fixture
def editor(server: Server, tmp_path: Path) -> Iterator[Editor]:
    folder = tmp_path / "here"
    folder.mkdir()
    found = Editor(server, folder, {"WORKSPACE.ml": 'workspace(name = "here")\n'})
    yield found
    found.close_all()
