"""Keeps resources/help: compares the pages of each language with the English ones, and helps to translate them.

Without an option it tells which pages are missing, outdated or wrong. `--check` fails on wrong ones alone: an outdated
page is still shown, with a line that says so. `--names de chat` prints what the names in a page are called in German;
`--stamp de chat` notes that the German page is up to date with today's English one. Without names they mean all pages.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from markdown_it import MarkdownIt
from screen_texts import ROOT

sys.path.insert(0, str(ROOT))

from app.core.installed_languages import ENGLISH, OWN_NAMES, built_in_file
from app.core.po_file import read_messages
from app.features.help_pages import CHANGES, SOURCE_LINE, help_file, load_help_page, source_version
from app.ui.help.help_topics import PAGES

HELP_PAGES = [name for name in PAGES if name != CHANGES]
OF_A_PARAGRAPH = (":", ".", "：", "。", "،", "؟", "?", "!")
"""What the bold beginning of a paragraph ends with, which is no name of the program."""
_BOLD = re.compile(r"\*\*([^*]+)\*\*")
_SETTINGS = re.compile(r"(\w+) › (\w[\w ]*?)(?= › |[.,:;)]| has| names|$)", re.MULTILINE)
_ALIKE = {
    "code": re.compile(r"(?<!`)`([^`]+)`"),
    "links": re.compile(r"\]\(([a-z-]+)\.md\)"),
    "pictures": re.compile(r"^!\[[^\]]+\]\(([a-z-]+)\)$", re.MULTILINE),
    "entries of lists": re.compile(r"^(\*|\d\.|\|) ", re.MULTILINE),
}
"""What is the same in every language, by what it is called; the order is that of the language."""
Names = Mapping[str, frozenset[str]]
"""The translations of each text of the program, without the dots of what opens a dialog."""


@dataclass
class HelpReport:
    """What is found in the pages of a language, by their names; faults are lines to print."""

    language: str
    missing: list[str] = field(default_factory=list)
    outdated: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def line(self) -> str:
        """The figures as one line, with the pages that a translator has to look at."""
        there = len(HELP_PAGES) - len(self.missing)
        told = [f"{self.language}: {there} of {len(HELP_PAGES)} pages of the help translated"]
        told += [f"{what}: {', '.join(found)}" for what, found in (("outdated", self.outdated),) if found]
        return "; ".join(told)


def names_in(language: str) -> Names:
    """Return what the program calls things in a language, by their English; what isn't translated stays English."""
    names: dict[str, set[str]] = {}
    for message in read_messages(built_in_file(language).read_text("utf-8")):
        shown = message.forms[0] if message.is_translated else message.text
        names.setdefault(_plain(message.text), set()).add(_plain(shown))
    return {english: frozenset(found) for english, found in names.items()}


def names_of(markdown: str) -> list[str]:
    """Return the names of the program in a page, which are bold, without the bold beginnings of paragraphs."""
    return [_plain(text) for text in _BOLD.findall(markdown) if not text.strip().endswith(OF_A_PARAGRAPH)]


def settings_pages_of(markdown: str) -> list[tuple[str, str]]:
    """Return the pages of the settings that an English text names without bold, each with the word Settings."""
    return [(first, label) for first, label in _SETTINGS.findall(markdown) if first == "Settings"]


def page_faults(name: str, language: str, names: Names) -> Iterator[str]:
    """Yield what makes a translated page another than the English one, in words for its translator."""
    english, text = (help_file(name, code).read_text("utf-8") for code in (ENGLISH, language))
    for what, pattern in _ALIKE.items():
        wanted, found = Counter(pattern.findall(english)), Counter(pattern.findall(text))
        if wanted != found:
            yield f"{what} differ: {_difference(wanted, found)}"
    page = load_help_page(name, language)
    if not SOURCE_LINE.match(text) or not page.title or "\n# " in f"\n{page.markdown}":
        yield "it has to begin with the line of its source and the one title (see --stamp)"
    if "**" in MarkdownIt("commonmark").enable("table").render(text):
        yield "bold is shown as **: it has to begin and end at a word, or beside a space"
    if len(_BOLD.findall(english)) != len(_BOLD.findall(text)):
        yield f"bold stands {len(_BOLD.findall(english))} times in English, {len(_BOLD.findall(text))} times here"
    wanted_names, found_names = names_of(english), names_of(text)
    for wanted_name in dict.fromkeys(wanted_names):
        if not names.get(wanted_name, frozenset()) & set(found_names):
            yield f"“{wanted_name}” is called {_choice(names.get(wanted_name, ()))} in the program"
    known = frozenset[str]().union(*(names.get(wanted_name, frozenset()) for wanted_name in wanted_names))
    yield from (
        f"“{found_name}” is no name of the English page" for found_name in found_names if found_name not in known
    )
    for first, label in settings_pages_of(english):
        paths = [f"{one} › {other}" for one in names.get(first, ()) for other in names.get(label, ())]
        if not any(path in text for path in paths):
            yield f"“{first} › {label}” is {_choice(paths)} in the program"


def report_of(language: str) -> HelpReport:
    """Compare all pages of a language with the English ones."""
    report, names = HelpReport(language), names_in(language)
    for name in HELP_PAGES:
        if not help_file(name, language).is_file():
            report.missing.append(name)
            continue
        if load_help_page(name, language).is_outdated:
            report.outdated.append(name)
        report.faults += [f"{language}/{name}.md: {fault}" for fault in page_faults(name, language, names)]
    there = {path.stem for path in help_file("any", language).parent.glob("*.md")}
    report.faults += [f"{language}/{name}.md: there is no such page" for name in sorted(there - set(HELP_PAGES))]
    return report


def check_pages(languages: Iterable[str] = ()) -> int:
    """Print what is found in each language that has pages; return 1 where one of them is wrong."""
    code = 0
    for language in languages or [code for code in OWN_NAMES if help_file("any", code).parent.is_dir()]:
        if language != ENGLISH:
            report = report_of(language)
            print(report.line, *(f"  {fault}" for fault in report.faults), sep="\n")
            code |= bool(report.faults)
    return code


def stamp_pages(language: str, pages: Iterable[str]) -> None:
    """Write the version of today's English text into the first line of pages."""
    for name in pages:
        path = help_file(name, language)
        if path.is_file():
            text = SOURCE_LINE.sub("", path.read_text("utf-8"), count=1)
            path.write_text(f"<!-- english: {source_version(help_file(name, ENGLISH))} -->\n{text}", "utf-8")


def print_names(language: str, pages: Iterable[str]) -> None:
    """Print the names in pages, and what the program calls each in a language."""
    names = names_in(language)
    for page in pages:
        english = help_file(page, ENGLISH).read_text("utf-8")
        print(page)
        for name in dict.fromkeys(
            [*names_of(english), *(part for path in settings_pages_of(english) for part in path)]
        ):
            print(f"  {name}\t{_choice(names.get(name, ()))}")


def _plain(text: str) -> str:
    return text.strip().rstrip("…")


def _choice(texts: Iterable[str]) -> str:
    return " or ".join(f"“{text}”" for text in sorted(texts)) or "nothing"


def _difference(wanted: Counter[str], found: Counter[str]) -> str:
    lacks, has = sorted((wanted - found).elements()), sorted((found - wanted).elements())
    return "; ".join(f"{what} {' '.join(words)}" for what, words in (("lacks", lacks), ("has", has)) if words)


def main(arguments: list[str]) -> int:
    """Check, print names or stamp, as asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--names", action="store_true", help="print what the names in pages are called")
    parser.add_argument("--stamp", action="store_true", help="note that pages are up to date")
    parser.add_argument("--check", action="store_true", help="fail where a page is wrong")
    parser.add_argument("language", nargs="?", choices=[code for code in OWN_NAMES if code != ENGLISH])
    parser.add_argument("pages", nargs="*", metavar="page", help="such as chat; without names all")
    asked = parser.parse_args(arguments)
    if (asked.names or asked.stamp) and not asked.language:
        parser.error("which language?")
    if asked.names:
        print_names(asked.language, asked.pages or HELP_PAGES)
    elif asked.stamp:
        stamp_pages(asked.language, asked.pages or HELP_PAGES)
    else:
        code = check_pages([asked.language] if asked.language else ())
        return code if asked.check else 0
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
