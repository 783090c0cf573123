"""The program behind a scripted model that is loaded, for tests that have a `script` of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.bootstrap import Fireside, build_program
from app.features.summarize.summaries import SummaryJobs
from app.features.translate.translation_jobs import TranslationJobs
from tests.helpers.summaries import summaries_of
from tests.helpers.translations import translations_of

MODEL = Path("/any/model.gguf")


@pytest.fixture
def app(script: Path) -> Iterator[Fireside]:
    app = build_program()
    list(app.engine.load(MODEL))
    yield app
    app.close()


@pytest.fixture
def summaries(app: Fireside) -> SummaryJobs:
    """They ask for each paragraph by itself."""
    return summaries_of(app)


@pytest.fixture
def translations(app: Fireside) -> TranslationJobs:
    """They ask for each segment by itself."""
    return translations_of(app)
