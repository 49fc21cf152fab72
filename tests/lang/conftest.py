"""What tests of several parts of the language need."""

import subprocess

import pytest

from tests.lang.formatting.buildifier import Buildifier, install


@pytest.fixture(scope="session")
def buildifier(tmp_path_factory: pytest.TempPathFactory) -> Buildifier:
    """Skips where there is no npm, or it has no package of the name."""
    folder = tmp_path_factory.mktemp("buildifier")
    try:
        return Buildifier(install("buildifier", folder), folder)
    except (OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"buildifier cannot be installed by npm: {error}")
