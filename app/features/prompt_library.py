"""The prompt library: saved prompts and those that come with the program, their variables, and their files."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.core.errors.document_errors import DocumentUnreadable
from app.core.errors.exchange_errors import PromptsUnreadable
from app.core.lazy_dataclasses import dataclass
from app.features.work.saved_file import write_file

if TYPE_CHECKING:
    from app.core.settings import Settings
    from app.store.database import Database
    from app.store.prompt_store import PromptStore

CLIPBOARD, SELECTION, DATE = "clipboard", "selection", "date"
AUTOMATIC = (CLIPBOARD, SELECTION, DATE)
"""Variables filled automatically if there is a value."""
FIRST_CHARACTERS = 80
LEAST_TYPED = 3
_BRACES = re.compile(r"\{\{|\}\}|\{([^\W\d_][\w -]{0,39})\}")
"""A brace that begins no variable is one that was typed: code and formulas stay as they are."""


@dataclass(frozen=True)
class LibraryPrompt:
    """A prompt to choose. `key` is a saved one's number or a built-in one's name."""

    key: str
    name: str
    text: str
    used_at: float | None = None
    is_builtin: bool = False

    @property
    def number(self) -> int:
        """A saved prompt's number in the store."""
        return int(self.key)

    @property
    def variables(self) -> tuple[str, ...]:
        """Variables to fill in, in order, each once."""
        return find_variables(self.text)

    @property
    def first_words(self) -> str:
        """The beginning of its text, on one line."""
        return " ".join(self.text[:FIRST_CHARACTERS].split())


def find_variables(text: str) -> tuple[str, ...]:
    """Return the names in braces, in order, each once."""
    return tuple(dict.fromkeys(found[1] for found in _BRACES.finditer(text) if found[1]))


def fill_in(text: str, values: Mapping[str, str]) -> str:
    """Fill in variables; those without a value stay, and doubled braces become single."""

    def put(found: re.Match[str]) -> str:
        # Doubled braces become single, as in Python's format.
        if found[1] is None:
            return found[0][0]
        # An empty value stays a blank that somebody can fill.
        return values.get(found[1]) or found[0]

    return _BRACES.sub(put, text)


# English, as `tr` takes them; the names of variables are part of the text.
BUILTIN: tuple[tuple[str, str, str], ...] = (
    (
        "proofread",
        "Proofread",
        "Correct spelling, grammar and punctuation in the text below, and change nothing else. "
        "Give the corrected text first, then list what you changed.\n\n{text}",
    ),
    (
        "clearer",
        "Make it clearer",
        "Rewrite the text below so that it is easier to read: shorter sentences, plain words, the same meaning and the "
        "same language.\n\n{text}",
    ),
    (
        "key_points",
        "Key points",
        "List the key points of the text below, at most {number} of them, the most important first. Use only what it "
        "says.\n\n{text}",
    ),
    (
        "translate",
        "Translate into…",
        "Translate the text below into {language}. Keep its tone and its formatting.\n\n{text}",
    ),
    (
        "explain",
        "Explain simply",
        "Explain {topic} to someone who is new to it: what it is, why it matters, and one everyday example.",
    ),
    (
        "reply",
        "Answer a letter",
        "Write a friendly answer to the letter below. What I want to say: {answer}\n\n{clipboard}",
    ),
    (
        "weigh",
        "Pros and cons",
        "I have to decide: {decision}\nWhat are the pros and cons, and what should I find out first?",
    ),
    (
        "code",
        "Explain code",
        "Explain what this code does, step by step, and name anything in it that may go wrong.\n\n```\n{code}\n```",
    ),
)


class PromptLibrary:
    """Prompts in the order offered; from any thread. Raises the store's errors. `tr` translates the built-in ones."""

    def __init__(
        self,
        store: PromptStore,
        settings: Callable[[], Settings],
        change: Callable[..., None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.store, self._settings, self._change_settings, self._clock = store, settings, change, clock

    @property
    def has_builtin(self) -> bool:
        """True if the built-in prompts are offered."""
        return self._settings().composer.builtin_prompts

    def show_builtin(self, *, wanted: bool) -> None:
        self._change_settings("composer", builtin_prompts=wanted)

    def all(self, tr: Callable[[str], str] = str) -> list[LibraryPrompt]:
        """List prompts: last used first, then saved ones by name, then the built-in ones in order."""
        prompts = [
            LibraryPrompt(str(saved_prompt.id), saved_prompt.name, saved_prompt.text, saved_prompt.used_at)
            for saved_prompt in self.store.all()
        ]
        if self.has_builtin:
            used = self._builtin_used()
            prompts += [LibraryPrompt(key, tr(name), tr(text), used.get(key), True) for key, name, text in BUILTIN]
        # Stable, so that prompts never used keep their order.
        return sorted(prompts, key=lambda one: -(one.used_at or 0))

    def find(self, typed: str, tr: Callable[[str], str] = str) -> list[LibraryPrompt]:
        """Find prompts whose name has all typed words, prefix matches first, then those whose text has them."""
        words = typed.casefold().split()
        ranked = [
            (rank, library_prompt)
            for library_prompt in self.all(tr)
            if (rank := _prompt_rank(library_prompt, words, library_prompt.text)) is not None
        ]
        return [prompt for _, prompt in sorted(ranked, key=lambda each: each[0])]

    def complete(self, typed: str, tr: Callable[[str], str] = str) -> list[LibraryPrompt]:
        """Find prompts for text typed after a slash: only the first words of a prompt's text count, and only once a
        few characters are typed, so that a message that begins with a slash soon matches nothing.
        """
        words = typed.casefold().split()
        told = [
            # A message that begins with a slash is soon no prompt: its words are in few texts.
            (library_prompt, library_prompt.first_words if len(typed) >= LEAST_TYPED else "")
            for library_prompt in self.all(tr)
        ]
        ranked = [(rank, prompt) for prompt, text in told if (rank := _prompt_rank(prompt, words, text)) is not None]
        return [library_prompt for _, library_prompt in sorted(ranked, key=lambda each: each[0])]

    def get(self, key: str, tr: Callable[[str], str] = str) -> LibraryPrompt | None:
        """Return a prompt; None if it is deleted or hidden."""
        return next((library_prompt for library_prompt in self.all(tr) if library_prompt.key == key), None)

    def note_use(self, prompt: LibraryPrompt) -> None:
        """Record a use, so that it is listed first."""
        if not prompt.is_builtin:
            self.store.note_use(prompt.number)
            return
        # Built-in prompts have no row in the store, so their use is a setting.
        used = self._builtin_used() | {prompt.key: self._clock()}
        self._change_settings("composer", builtin_prompts_used=tuple(f"{key}={at}" for key, at in used.items()))

    def _builtin_used(self) -> dict[str, float]:
        used = {}
        for line in self._settings().composer.builtin_prompts_used:
            key, _, at = line.partition("=")
            with suppress(ValueError):  # somebody else's line
                used[key] = float(at)
        return used


def _prompt_rank(prompt: LibraryPrompt, words: Sequence[str], text: str) -> int | None:
    """0: the name begins with it, 1: its words do, 2: it is in the name, 3: in the text; None: nowhere."""
    name = prompt.name.casefold()
    if name.startswith(" ".join(words)):
        return 0
    if all(any(part.startswith(word) for part in name.split()) for word in words):
        return 1
    if all(word in name for word in words):
        return 2
    also = f"{name} {text.casefold()}"
    return 3 if all(word in also for word in words) else None


FORM, VERSION = "fireside-prompts", 1
_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)\n---[ \t]*(?:\n|\Z)\n?", re.DOTALL)


def write_json(path: Path, prompts: Iterable[LibraryPrompt]) -> None:
    """Write names and texts as a JSON list. Raises DiskFull or FolderNotWritable."""
    listed = [{"name": prompt.name, "text": prompt.text} for prompt in prompts]
    _write_file(
        path, json.dumps({"form": FORM, "version": VERSION, "prompts": listed}, ensure_ascii=False, indent=1) + "\n"
    )


def write_markdown(path: Path, prompt: LibraryPrompt) -> None:
    """Write a prompt with its name as front matter. Raises DiskFull or FolderNotWritable."""
    _write_file(path, f"---\nname: {json.dumps(prompt.name, ensure_ascii=False)}\n---\n\n{prompt.text}\n")


def read_file(path: Path) -> list[tuple[str, str]]:
    """Read names and texts from a file of either kind; any other text is one prompt named after the file.

    Raises DocumentUnreadable, or PromptsUnreadable for JSON without prompts.
    """
    try:
        # Windows writes a mark and other line ends.
        text = path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    except OSError as error:
        raise DocumentUnreadable.by_system(path, error) from error
    except ValueError as error:
        raise DocumentUnreadable(str(path), "not_text") from error
    if path.suffix.lower() == ".json":
        return _from_json(path, text)
    front = _FRONT_MATTER.match(text)
    body = text[front.end() :] if front else text
    if not body.strip():
        raise DocumentUnreadable(str(path), "empty")
    return [((_front_matter_name(front[1]) if front else "") or path.stem, body.strip("\n"))]


def _from_json(path: Path, text: str) -> list[tuple[str, str]]:
    try:
        raw: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise PromptsUnreadable(str(path), "damaged") from error
    if not isinstance(raw, dict) or raw.get("form") != FORM:
        raise PromptsUnreadable(str(path), "unknown")
    # A newer form may mean something else by the same names.
    if not isinstance(raw.get("version"), int) or raw["version"] > VERSION:
        raise PromptsUnreadable(str(path), "newer")
    listed = raw.get("prompts")
    entries = [entry for entry in (listed if isinstance(listed, list) else []) if isinstance(entry, dict)]
    return [
        (str(entry.get("name") or path.stem), entry["text"])
        for entry in entries
        if isinstance(entry.get("text"), str) and entry["text"].strip()
    ]


def _front_matter_name(front: str) -> str:
    """Return the prompt's name in front matter, "" without one."""
    for line in front.split("\n"):
        key, colon, value = line.partition(":")
        if colon and key.strip().lower() in ("name", "title"):
            value = value.strip()
            try:
                # JSON's quotes are YAML's, too.
                found = json.loads(value) if value.startswith('"') else value.strip("'")
            except ValueError:
                found = value
            return str(found)
    return ""


def _write_file(path: Path, text: str) -> None:
    with write_file(path) as file:
        file.write(text.encode("utf-8", "replace"))


def build_prompts(database: Database, settings: Callable[[], Settings], change: Callable[..., None]) -> PromptLibrary:
    from app.store.prompt_store import PromptStore

    return PromptLibrary(PromptStore(database), settings, change)
