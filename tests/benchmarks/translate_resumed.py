"""A long document translated by a program that is killed in the middle and started again: what is asked for twice.

Run as a program it translates the file that TRANSLATED names, or goes on with it, and says which segments are stored.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.bootstrap import build_program
from app.core.events import CancelToken
from app.features.translate.translation_events import SegmentDone, TranslationWish
from app.features.translate.translation_jobs import TranslationAdded
from tests.helpers.script import prompts, write_script

ROOT = Path(__file__).resolve().parents[2]
SEGMENTS, KILLED_AT = 200, 100
SIDE_BY_SIDE = 8
ASKED = "Text to translate to German:\n"


@dataclass(frozen=True)
class Resumed:
    """`stored` were there when the program was killed; `repeated` of these were asked for again, `reopened` others."""

    stored: int
    repeated: int
    reopened: int
    translated: int


def source(number: int) -> str:
    """A paragraph that says which it is."""
    return f"The kiln {number} stands beside the river and was built a long time ago."


def answers() -> Iterator[dict[str, Any]]:
    """What the scripted model answers: rules of `tests.helpers.scripted_backend`."""
    for number in range(1, SEGMENTS + 1):
        target = f"Der Ofen {number} steht neben dem Fluss und wurde vor langer Zeit gebaut."
        yield {"when": f"{ASKED}The kiln {number} ", "text": target, "delay_s": 0.002}


def killed_and_resumed(folder: Path) -> Resumed:
    """Both runs in processes of their own, with the real store, document child and engine child."""
    script = write_script(folder / "script", *answers(), load={"sequences": SIDE_BY_SIDE})
    file = folder / "kilns.txt"
    file.write_text("\n\n".join(map(source, range(1, SEGMENTS + 1))) + "\n", "utf-8")
    environment = os.environ | {
        "FIRESIDE_HOME": str(folder / "home"),
        "FIRESIDE_ENGINE_SCRIPT": str(script),
        "TRANSLATED": str(file),
        "PYTHONPATH": str(ROOT),
    }
    stored = _said(environment, KILLED_AT)
    before = [messages[-1][1].partition(ASKED)[2] for messages in prompts(script)]
    later = _said(environment, SEGMENTS + 1)
    again = [messages[-1][1].partition(ASKED)[2] for messages in prompts(script)][len(before) :]
    texts = {source(number) for number in stored}
    repeated = sum(text in texts for text in again)
    reopened = sum(text in before and text not in texts for text in again)
    return Resumed(len(stored), repeated, reopened, len({*stored, *later}))


def _said(environment: dict[str, str], killed_at: int) -> list[int]:
    """The segments that a run of the program says it stored; it is killed when it has said so many."""
    said: list[int] = []
    with subprocess.Popen([sys.executable, __file__], env=environment, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        for line in program.stdout:
            said.append(int(line))
            if len(said) == killed_at:
                program.kill()
    if program.returncode and len(said) < killed_at:
        raise AssertionError(f"the program ended with {program.returncode} after {len(said)} segments")
    return said


def main() -> None:
    """One run, up to its end."""
    app = build_program()
    list(app.engine.load(Path("/any/model.gguf")))
    if not app.translations.find():
        *_, last = app.translations.add(Path(os.environ["TRANSLATED"]), TranslationWish("de", "en"), CancelToken())
        assert isinstance(last, TranslationAdded)
        app.translations.begin_translations([last.translation.id])
    for worked in app.translations.run(CancelToken()):
        if isinstance(worked.event, SegmentDone):
            print(worked.event.translated.id, flush=True)
    app.close()


if __name__ == "__main__":
    main()
