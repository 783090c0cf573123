"""Keeps resources/translations: merges the template into each PO file, and compares translations with their English.

Without an option it merges: what is translated stays, what is gone goes, what is new comes without a translation, and a
text that gained a context or plural forms keeps its translation, marked for review ("fuzzy"). `--check` fails on faults
of translations, on more terms that are translated otherwise than `XX.glossary.tsv` has it, and on fewer texts that are
translated, than [tool.fireside.languages] in pyproject.toml allows, and on faults of the pages of the help
(`help_translations.py`); `--open` prints those places; `--write` puts today's counts of terms there.
"""

from __future__ import annotations

import gc
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from unicodedata import combining, normalize

from help_translations import check_pages
from screen_texts import ROOT, write_ceilings
from texts_template import TextsTemplate

sys.path.insert(0, str(ROOT))

from app.core.catalogue import message_key, plural_rule
from app.core.po_file import PoMessage, format_messages, header_field, read_messages
from app.core.translation_faults import FIELD, message_faults

TABLE = "[tool.fireside.languages]"
TRANSLATED = "translated, %"
"""The floor of every language; all other figures of the table are ceilings."""
NOT_SPACED = ("ja", "zh")
PLACE = "#: "
_NOTE, _PARTED = re.compile(r"\([^)]*\)"), re.compile(r" / |/|; |, |、")


@dataclass(frozen=True)
class GlossaryTerm:
    """An English term, and the words that it may be translated with."""

    english: str
    translations: tuple[str, ...]


@dataclass
class LanguageReport:
    """What is found in a language: lines to print, and the terms that are translated otherwise."""

    language: str
    count: int = 0
    doubtful: int = 0
    translated: int = 0
    faults: list[str] | None = None
    other_terms: list[str] | None = None

    @property
    def percent(self) -> float:
        """The share of the template that is translated without faults."""
        return 100 * self.translated / max(1, self.count)

    @property
    def line(self) -> str:
        """The figures as one line, as they are printed for each language."""
        return (
            f"{self.language}: {self.translated} of {self.count} texts translated ({self.percent:.1f} %), "
            f"{self.doubtful} for review, {len(self.faults or [])} faults, {len(self.other_terms or [])} other terms"
        )


def main(arguments: list[str], root: Path = ROOT) -> int:
    """Merge the template into all translations, or look at what is wrong with them."""
    files = sorted((root / "resources/translations").glob("*.po"))
    if not files:
        print("translations: none yet")
        return 0
    wanted = template_messages(TextsTemplate(root))
    if not set(arguments) & {"--check", "--open", "--write"}:
        for path in files:
            path.write_text(
                format_messages(merge_messages(path.stem, read_messages(path.read_text("utf-8")), wanted)), "utf-8"
            )
    reports = [report_of(path, wanted) for path in files]
    if "--write" in arguments:
        table = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["tool"]["fireside"]["languages"]
        figures = {TRANSLATED: table[TRANSLATED]} | {
            terms_row(found): len(found.other_terms or []) for found in reports
        }
        write_ceilings(figures, root / "pyproject.toml", TABLE)
    for found in reports:
        print(found.line)
        for line in [*(found.faults or []), *(found.other_terms or [])] if "--open" in arguments else ():
            print(f"  {line}")
    return check_reports(reports, root) | check_pages() if "--check" in arguments else 0


def check_reports(reports: Iterable[LanguageReport], root: Path) -> int:
    """Return 1 where a language has faults, or is beyond the limits of the project's file; print why."""
    limits = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["tool"]["fireside"]["languages"]
    code = 0
    for found in reports:
        wrong = list(found.faults or [])
        if found.percent < limits[TRANSLATED]:
            wrong.append(f"less than {limits[TRANSLATED]} % is translated")
        if len(found.other_terms or []) > limits.get(terms_row(found), 0):
            wrong.append(f"other terms than those of the glossary: at most {limits.get(terms_row(found), 0)}")
        for line in wrong:
            print(f"{found.language}: {line}. See `packaging/translations.py --open`.")
        code |= bool(wrong)
    return code


def terms_row(found: LanguageReport) -> str:
    """Return the name of a language's ceiling in the project's file."""
    return f"{found.language}: other terms"


def template_messages(template: TextsTemplate) -> list[PoMessage]:
    """Return the messages of the template in the order of the code, with the files that they are in."""
    messages: dict[str, PoMessage] = {}
    for entry, places in sorted(template.entries.items(), key=lambda found: (min(found[1]), found[0])):
        files = dict.fromkeys(path for path, _ in sorted(places))
        comments = tuple(f"{PLACE}{path}" for path in [*files][:3])
        message = PoMessage(entry.context or None, entry.text, entry.plural or None, ("",), comments)
        # A text with plural forms may be asked for without a count, too: a catalogue holds one of the two.
        if message.plural is not None or message_key(message) not in messages:
            messages[message_key(message)] = message
    return [*messages.values()]


def merge_messages(language: str, present: Iterable[PoMessage], wanted: Iterable[PoMessage]) -> Iterator[PoMessage]:
    """Yield the header and the wanted messages, each with its translation if one is present."""
    rule = plural_rule(language)
    known: dict[str, PoMessage] = {}
    alike: dict[str, PoMessage] = {}
    for message in present:
        known.setdefault(message_key(message), message)
        if any(message.forms) and not message.is_header:
            alike.setdefault(message.text, message)
            alike.setdefault(message.plural or message.text, message)
    header = (
        f"Language: {language}\nContent-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\n"
        f"Plural-Forms: nplurals={len(rule.forms)}; plural={rule.header};\n"
    )
    said = known[""].comments if "" in known else ()
    yield PoMessage(None, "", None, (header,), said)
    for message in wanted:
        count = 1 if message.plural is None else len(rule.forms)
        found, is_fuzzy = known.get(message_key(message)), False
        if found is None or not any(found.forms) or (found.plural is None) != (message.plural is None):
            # It has gained a context, lost one, or gained plural forms since.
            found = alike.get(message.text) or alike.get(message.plural or "")
            is_fuzzy = True
        if found is None:
            yield replace(message, forms=("",) * count)
            continue
        forms = found.forms if len(found.forms) == count else (found.forms[-1],) * count
        notes = tuple(line for line in found.comments if not line.startswith(PLACE))
        yield replace(
            message,
            forms=forms,
            comments=notes + message.comments,
            is_fuzzy=is_fuzzy or found.is_fuzzy or len(found.forms) != count,
        )


def report_of(path: Path, wanted: Iterable[PoMessage]) -> LanguageReport:
    """Compare a translation with the template, with its English and with its glossary."""
    language = path.stem
    messages = {message_key(message): message for message in read_messages(path.read_text("utf-8"))}
    found = LanguageReport(language, faults=[], other_terms=[])
    assert found.faults is not None and found.other_terms is not None
    said = header_field(messages[""].forms[0], "Language") if "" in messages else ""
    if said != language:
        found.faults.append(f"the header says the language “{said}”")
    terms = read_glossary(path.with_suffix(".glossary.tsv"))
    for entry in wanted:
        found.count += 1
        message = messages.get(message_key(entry))
        if message is None:
            continue
        found.doubtful += message.is_fuzzy
        if not message.is_translated:
            continue
        wrong = [fault.format(text=message.text) for fault in message_faults(message, language)]
        found.faults += wrong
        found.translated += not wrong
        found.other_terms += [
            f"{term.english}, not {' or '.join(term.translations)}: “{message.text}” → “{message.forms[-1]}”"
            for term in terms_of(message.plural or message.text, terms)
            if not has_term(message.forms[-1], term, language)
        ]
    return found


def read_glossary(path: Path) -> list[GlossaryTerm]:
    """Read lines of a term, its translations, parted by " / ", and a note; longest terms first."""
    known: dict[str, GlossaryTerm] = {}
    for line in path.read_text("utf-8").splitlines() if path.exists() else ():
        english, translation = (_NOTE.sub("", cell).strip() for cell in f"{line}\t".split("\t")[:2])
        words = tuple(word for word in map(str.strip, _PARTED.split(translation)) if word)
        if english and words:
            # A word with two meanings may have the translation of either.
            before = known.get(english.casefold(), GlossaryTerm(english, ()))
            known[english.casefold()] = replace(before, translations=before.translations + words)
    return sorted(known.values(), key=lambda term: -len(term.english))


def terms_of(text: str, terms: Iterable[GlossaryTerm]) -> Iterator[GlossaryTerm]:
    """Yield the terms that stand in an English text, each word counted for the longest of them."""
    text = FIELD.sub("\0", text)
    for term in terms:
        rest = _term_pattern(term.english).sub("\0", text)
        if rest != text:
            yield term
            text = rest


@cache
def _term_pattern(english: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-]){re.escape(english)}(?:s|es)?(?![\w-])", re.IGNORECASE)


def has_term(translation: str, term: GlossaryTerm, language: str) -> bool:
    """Return whether a translation has a term, inflected or not: the beginning of each of its words is enough."""
    said = _plain_letters(translation)
    if language in NOT_SPACED:
        return any(_plain_letters(words) in said for words in term.translations)
    return any(all(_stem(word) in said for word in _plain_letters(words).split()) for words in term.translations)


def _plain_letters(words: str) -> str:
    """Return words in small letters without accents, which come and go with inflection."""
    return "".join(letter for letter in normalize("NFKD", words.casefold()) if not combining(letter))


def _stem(word: str) -> str:
    return word if len(word) < 5 else word[: max(4, len(word) * 3 // 5)]


if __name__ == "__main__":
    gc.disable()
    sys.exit(main(sys.argv[1:]))
