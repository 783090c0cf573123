"""A program that works on a queued translation and says so after each segment, until it is killed.

``python -m tests.features.translate.translating_program MODEL [ONE]`` in the environment of a test: FIRESIDE_HOME,
FIRESIDE_ENGINE_SCRIPT. With ONE by the pipeline that asks for each segment by itself, else by the program's own.
"""

from __future__ import annotations

import sys
from pathlib import Path

from app.bootstrap import build_program
from app.core.events import CancelToken
from app.features.translate.translation_events import SegmentDone
from tests.helpers.translations import translations_of


def main() -> None:
    app = build_program()
    list(app.engine.load(Path(sys.argv[1])))
    translations = translations_of(app) if sys.argv[2:] else app.translations
    for worked in translations.run(CancelToken()):
        if isinstance(worked.event, SegmentDone):
            print(worked.event.done, flush=True)


if __name__ == "__main__":
    main()
