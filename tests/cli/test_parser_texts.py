"""argparse's own words are in the user's language, and so is all of the help of every command."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator

import pytest

from app.cli import main
from app.cli.main import whole_parser
from app.cli.parser_texts import translate_parsers
from app.core.catalogue import TextCatalogue, use_catalogue
from app.core.installed_languages import load_texts
from app.core.paths import resource_path

_WORDS = re.compile(r"[a-z]{3,}")


def parsers_of(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for part in action.choices.values():
                yield from parsers_of(part)


@pytest.mark.usefixtures("pseudo_language")
def test_nothing_of_the_help_is_english() -> None:
    parsers = list(parsers_of(whole_parser()))
    assert len(parsers) > 40
    texts = [parser.description or "" for parser in parsers] + [parser.epilog or "" for parser in parsers]
    for parser in parsers:
        texts += [action.help or "" for action in parser._actions]
        texts += [group.title or "" for group in parser._action_groups if group._group_actions]
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                texts += [choice.help or "" for choice in action._choices_actions]
        assert parser.format_usage().startswith("[")
        assert "%" not in parser.format_help()
    bare = {text for text in texts if _WORDS.search(text) and not (text.startswith("[") and text.endswith("]"))}
    # The kinds of what is in the trash are typed as they are.
    assert bare == {"chat, message, project, assistant, memory, tag, prompt, summary, translation, page"}


@pytest.fixture(params=sorted(path.stem for path in resource_path("translations").glob("*.po")))
def translated(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[TextCatalogue]:
    catalogue = load_texts(request.param)
    monkeypatch.setattr(main, "load_texts", lambda _language: catalogue)
    for name in ("_", "ngettext"):
        monkeypatch.setattr(argparse, name, vars(argparse)[name])
    use_catalogue(catalogue)
    translate_parsers()
    yield catalogue
    use_catalogue(TextCatalogue())


def test_the_help_of_every_command_can_be_written_in_every_language(translated: TextCatalogue) -> None:
    """argparse fills help in by "%": one that a translator wrote would end the program."""
    assert translated.entries
    for parser in parsers_of(whole_parser()):
        assert "%(" not in parser.format_help()


@pytest.mark.parametrize(
    "arguments",
    [
        ["chat", "--seed", "x"],
        ["chat", "--nothing"],
        ["chat", "--seed"],
        ["models", "download"],
        ["restore"],
        ["restore", "--days", "--undo"],
        ["summarize", "a", "--form", "x"],
        ["summarize", "a", "--me", "x", "--json=1"],
        ["nothing"],
    ],
)
@pytest.mark.usefixtures("pseudo_language")
def test_what_is_wrong_with_a_command_is_said_in_the_language(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        whole_parser().parse_args(arguments)
    said = capsys.readouterr().err.splitlines()
    assert end.value.code == 2
    assert said[0].startswith("[") and (said[-1][0], said[-1][-1]) == ("[", "]")
    assert "%" not in said[-1]
