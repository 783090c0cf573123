"""A program that works on a queued summary and says so after each section, until it is killed.

``python -m tests.features.summarize.summarizing_program`` in the environment of a test:
FIRESIDE_HOME, FIRESIDE_ENGINE_SCRIPT.
"""

from __future__ import annotations

from pathlib import Path

from app.bootstrap import build_program
from app.core.events import CancelToken
from app.features.summarize.summarize import SectionRead
from tests.helpers.summaries import summaries_of


def main() -> None:
    app = build_program()
    list(app.engine.load(Path("/any/model.gguf")))
    for worked in summaries_of(app).run(CancelToken()):
        if isinstance(worked.event, SectionRead):
            print(worked.event.done, flush=True)


if __name__ == "__main__":
    main()
