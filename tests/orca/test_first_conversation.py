"""A first conversation in Orca's own words, with real keys; the transcript is kept in pictures/orca.txt."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers.orca import OrcaReader, running_orca
from tests.helpers.program import ROOT, Program
from tests.helpers.script import write_script

pytestmark = [pytest.mark.orca, pytest.mark.display, pytest.mark.timeout(600)]

ANSWER = """# Storms

Sound needs **three seconds** for a `kilometre`. See [the almanac](https://example.org/almanac).

- Count slowly
- Divide by three

```python
print(9 / 3)
```

| Seconds | Kilometres |
| --- | --- |
| 9 | 3 |

Stay inside.
"""
SENTENCES = (
    "Writing an answer", "Storms", "Sound needs three seconds for a kilometre.", "See the almanac.", "Count slowly",
    "Divide by three", "Code: python", "print(9 / 3)", "Seconds, Kilometres", "9, 3", "Stay inside.",
    "The answer is complete.",
)  # fmt: skip
PARTS = (
    ("Storms heading 1",), ("Sound needs three seconds",), ("List with 2 items", "Count slowly"), ("Divide by three",),
    ("Code: python", "print(9 / 3)"), ("Table, 2 rows, 2 columns",), ("Seconds, Kilometres",), ("9, 3",),
)  # fmt: skip
"""What is said at each step down, until the last row of the table."""
CELLS = (("Right", "Seconds column header 9"), ("Right", "Kilometres column header 3"), ("Down", "Stay inside."))
"""What is said in that row and behind it."""


class Conversation:
    """The program and its listener."""

    def __init__(self, program: Program, orca: OrcaReader) -> None:
        self._program, self._orca = program, orca

    def press(self, keys: str, *words: str) -> list[str]:
        """Press keys and wait until these words are said."""
        self._program.press(*keys.split())
        return self._orca.hear_until(keys, *words)

    def ask(self, text: str, *words: str) -> list[str]:
        self._program.ask(text)
        return self._orca.hear_until(f"typed: {text}", *words)


def test_first_conversation_is_heard_from_its_beginning_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = {"when": "fails", "error": "TemplateFailed", "fields": {"path": "/models/x.gguf", "detail": "broken"}}
    script = write_script(tmp_path / "script", failing, {"text": ANSWER})
    with running_orca(tmp_path, monkeypatch) as orca:
        program = Program(tmp_path / "home", {"FIRESIDE_ENGINE_SCRIPT": str(script)})
        try:
            program.focus()
            orca.hear_until("opened", "Fireside", "Message text", "is loading", "is ready")
            _talk(Conversation(program, orca))
            assert program.process.poll() is None
        finally:
            program.kill()
            kept = ROOT / "pictures" / "orca.txt"
            kept.parent.mkdir(exist_ok=True)
            kept.write_text("\n".join(orca.transcript) + "\n", "utf-8")


def _talk(chat: Conversation) -> None:
    said = chat.ask("How far is the storm?", *SENTENCES)
    assert [line for line in said if line in SENTENCES] == list(SENTENCES), "each once, in its order"
    chat.press("ctrl+Up", "Answer: Storms Sound needs")
    for words in PARTS:
        chat.press("Down", *words)
    for key, words in CELLS:
        chat.press(key, words)
    chat.press("Tab", "the almanac link")
    chat.press("Return", "Open this link in your browser?", "Cancel button")
    chat.press("Escape", "the almanac link")
    chat.press("ctrl+n", "Message text")
    chat.ask("This fails", "The chat template in x.gguf failed.")
    chat.press("ctrl+Up", "Answer: The chat template in x.gguf failed.")
    chat.press("ctrl+Down", "Message text")
    chat.press("ctrl+2", "Drop documents or folders here, or press Enter to choose files button")
    chat.press("ctrl+m", "Search the Hub text")
    chat.press("ctrl+1", "Message text")
    chat.press("ctrl+shift+f", "Search chats text")
    chat.press("Down Down", "How far is the storm?")
    chat.press("Delete", "“How far is the storm?” was deleted. · Undo")
    chat.press("ctrl+z", "How far is the storm?")
