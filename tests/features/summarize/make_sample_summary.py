"""Has the starter summarize the project's own report, and writes what came of it beside the report.

``python -m tests.features.summarize.make_sample_summary`` from the root of the repository,
after prompts or checks have changed.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import replace
from pathlib import Path

from app.core.child import own_command
from app.core.events import CancelToken
from app.core.json_forms import to_json
from app.core.paths import starter_model
from app.engine.client import EngineClient
from app.features.summarize.export import as_markdown
from app.features.summarize.summarize import InputDocument, Summarized, summarize_documents
from app.features.summarize.summary_attempt import MemorySteps
from app.features.summarize.summary_result import Method, Summary, SummaryOptions, summary_from_json
from tests.helpers.documents import read
from tests.helpers.harbour import FOLDER, REPORT

FIELDS = FOLDER / "harbour-summary.json"
TEXT = FOLDER / "harbour-summary.md"


def report() -> InputDocument:
    """The report as the reading child reads it."""
    with tempfile.TemporaryDirectory(prefix="fireside-sample-") as folder:
        result = read(REPORT, Path(folder))
    opened, done = result.found.opened, result.done
    title = opened.title or result.blocks[0].text
    return InputDocument(
        0, REPORT.name, title, opened.unit, done.pages, done.pages_without_text, done.language, result.blocks
    )


def sample() -> Summary:
    """The summary that is committed."""
    return summary_from_json(json.loads(FIELDS.read_text("utf-8")))


def text_of(summary: Summary) -> str:
    """As it is saved for reading."""
    return as_markdown(summary)


def make() -> Summary:
    """The starter's summary of the report; without the seconds, which are others each time."""
    path = starter_model()
    assert path is not None
    with tempfile.TemporaryDirectory(prefix="fireside-sample-") as folder:
        engine = EngineClient(own_command("--engine-worker"), Path(folder))
        try:
            for _ in engine.load(path):
                pass
            *_, last = summarize_documents(
                [report()], SummaryOptions(method=Method.MODEL), engine, MemorySteps(), CancelToken()
            )
        finally:
            engine.close()
    assert isinstance(last, Summarized)
    return replace(last.summary, seconds=0.0)


if __name__ == "__main__":
    made = make()
    FIELDS.write_text(json.dumps(to_json(made), indent=1, ensure_ascii=False) + "\n", "utf-8")
    TEXT.write_text(text_of(made), "utf-8")
