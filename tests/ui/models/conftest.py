"""The Models view in a window, with invented models behind it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import QApplication

from tests.ui.models.stand_in import Pages, open_pages


@pytest.fixture
def pages(qapp: QApplication) -> Iterator[Pages]:
    """Nothing is shown until a test says which page."""
    with open_pages(qapp) as parts:
        yield parts
