"""The manual page and the shells' completions, made from the argument parser of the terminal."""

from __future__ import annotations

import argparse
import datetime
import gzip
import re
from pathlib import Path

import shtab

WHERE = "Everything runs on this computer, unless you choose a model on another server."
COMPLETIONS = {
    "bash": "bash-completion/completions/fireside",
    "zsh": "zsh/vendor-completions/_fireside",
    "fish": "fish/vendor_completions.d/fireside.fish",
}


def write_manual(parser: argparse.ArgumentParser, version: str, epoch: int, target: Path) -> None:
    """fireside(1), gzipped as manual pages are."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as out, gzip.GzipFile("", "wb", 9, out, 0) as packed:
        packed.write(manual(parser, version, epoch).encode("utf-8"))


def write_completions(parser: argparse.ArgumentParser, share: Path) -> None:
    """For bash, zsh and fish, each where a system looks for it below `share`."""
    for shell, place in COMPLETIONS.items():
        target = share / place
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(shtab.complete(parser, shell=shell), "utf-8")


def manual(parser: argparse.ArgumentParser, version: str, epoch: int) -> str:
    """The page in roff: what the program is, then each command with its usage and options."""
    day = datetime.datetime.fromtimestamp(epoch, datetime.UTC).date().isoformat()
    name, summary = parser.prog, parser.description or ""
    lines = [f'.TH {name.upper()} 1 "{day}" "{version}" "User Commands"', ".SH NAME"]
    lines += [f"{name} \\- {escaped(summary.partition(': ')[2].rstrip('.') or summary)}", ".SH SYNOPSIS"]
    lines += [
        f".B {name}\n[\\fIFILE\\fR...]\n.br",
        f".B {name}\n\\-\\-ask [\\fIWORDS\\fR]\n.br",
        f".B {name}\n\\-\\-summarize|\\-\\-translate \\fIFILE\\fR...\n.br",
        f".B {name}\n\\fICOMMAND\\fR [\\fIOPTIONS\\fR]",
        ".SH DESCRIPTION",
        escaped(f"{parser.epilog or ''} {WHERE}".strip()),
        ".SH COMMANDS",
    ]
    for command, words in commands_of(parser):
        lines += [f'.SS "{escaped(command.prog)}"', escaped(words[:1].upper() + words[1:]) + "."]
        lines += [f".PP\n.RS\n{escaped(usage_of(command))}\n.RE"]
        lines += entries_of(command)
    lines += [".SH ENVIRONMENT", ".TP", ".B FIRESIDE_HOME", "The folder for everything the program stores."]
    lines += [
        ".SH EXIT STATUS",
        "0 success, 1 failure (explained in one sentence on standard error), 2 wrong usage, 130 interrupted.",
    ]
    return "\n".join(lines) + "\n"


def commands_of(parser: argparse.ArgumentParser) -> list[tuple[argparse.ArgumentParser, str]]:
    """The commands of a parser and theirs, each with what the list says of it."""
    found = []
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            words = {choice.dest: choice.help or "" for choice in action._choices_actions}
            for name, command in action.choices.items():
                found += [(command, words.get(name, "")), *commands_of(command)]
    return found


def usage_of(command: argparse.ArgumentParser) -> str:
    """In one line."""
    return re.sub(r"\s+", " ", command.format_usage().removeprefix("usage: ")).strip()


def entries_of(command: argparse.ArgumentParser) -> list[str]:
    """A paragraph for each option and argument, but for help and further commands."""
    lines = []
    for action in command._actions:
        if isinstance(action, argparse._HelpAction | argparse._SubParsersAction) or action.help == argparse.SUPPRESS:
            continue
        names = ", ".join(action.option_strings) or str(action.metavar or action.dest)
        takes = action.metavar or action.dest.upper() if action.option_strings and action.nargs != 0 else ""
        if action.option_strings and action.choices:
            takes = "|".join(map(str, action.choices))
        words = (action.help or "") % {**vars(action), "prog": command.prog}
        lines += [".TP", f"\\fB{escaped(names)}\\fR {escaped(str(takes))}".rstrip(), escaped(words) or "\\&"]
    return lines


def escaped(text: str) -> str:
    """Plain text in roff: backslashes and hyphens are signs of their own, a line may not begin with a point."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"(?m)^([.'])", r"\\&\1", text)
