"""The sandbox profile for macOS as a text: well-formed, of the names that places really have, walls before gaps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.landlock import ThreadGrant
from app.core.macos_sandbox import enter_sandbox, sandbox_profile
from app.core.seccomp import SocketRule

Rule = list["Rule | str"]


def _rules(text: str) -> list[Rule]:
    """Read a profile as its interpreter does: lists of words and quoted texts."""
    stack: list[Rule] = [[]]
    letters = iter(text)
    word = ""
    for letter in letters:
        if letter in "() \n" and word:
            stack[-1].append(word)
            word = ""
        if letter == "(":
            stack.append([])
        elif letter == ")":
            done = stack.pop()
            stack[-1].append(done)
        elif letter == '"':
            stack[-1].append(_quoted(letters))
        elif letter not in " \n":
            word += letter
    assert len(stack) == 1 and not word, "every bracket is closed"
    return [rule for rule in stack[0] if isinstance(rule, list)]


def _quoted(letters: Iterator[str]) -> str:
    text = ""
    for letter in letters:
        if letter == '"':
            return f'"{text}'
        text += next(letters) if letter == "\\" else letter
    raise AssertionError("a text has no end")


@pytest.fixture
def grant(tmp_path: Path) -> ThreadGrant:
    own = tmp_path / 'my "own" \\ folder) (allow default)'
    own.mkdir()
    (tmp_path / "link").symlink_to(own)
    return ThreadGrant([tmp_path / "models"], [tmp_path / "link"], (), (tmp_path / "python",), ports=(50052,))


def test_names_stay_names_and_links_are_followed(grant: ThreadGrant, tmp_path: Path) -> None:
    rules = _rules(sandbox_profile(grant, SocketRule.NONE))
    own = f'"{grant.writing[0].resolve()}'
    assert ["allow", "file-write*", ["subpath", own]] in [rule[:3] for rule in rules]
    assert rules.count(["allow", "default"]) == 1, "no name is a rule"
    assert ["allow", "process-exec*", "file-read-data", ["literal", f'"{tmp_path.resolve()}/python']] in rules


def test_every_wall_stands_before_its_gaps(grant: ThreadGrant) -> None:
    """Of several rules the last one counts."""
    rules = _rules(sandbox_profile(grant, SocketRule.NONE))
    assert rules[:2] == [["version", "1"], ["allow", "default"]]
    for deed in ("file-read-data", "file-write*", "process-exec*", "signal"):
        first, *later = [rule[0] for rule in rules if deed in rule]
        assert first == "deny" and set(later) == {"allow"}, deed
    assert rules[-1] == ["deny", "network*"], "without a socket nothing is open"
    assert str(Path.home().resolve()) in "".join(str(rule) for rule in rules if rule[:2] == ["deny", "file-read-data"])


def test_sockets_and_programs_are_those_that_were_granted(tmp_path: Path) -> None:
    lender = ThreadGrant(programs=(), ports=(50052,), listening=(50052,))
    rules = _rules(sandbox_profile(lender, SocketRule.TCP))
    assert ["deny", "process-fork"] in rules
    assert rules[-2:] == [
        ["allow", "network-outbound", ["remote", "tcp", '"*:50052']],
        ["allow", "network-bind", "network-inbound", ["local", "tcp", '"*:50052']],
    ]
    download = _rules(sandbox_profile(ThreadGrant(programs=None), SocketRule.INTERNET))
    assert ["allow", "network-outbound", ["remote", "ip", '"*:*']] in download
    assert not any("process-exec*" in rule or "process-fork" in rule for rule in download)


def test_elsewhere_it_is_told_that_there_is_no_such_function() -> None:
    with pytest.raises(AttributeError, match="sandbox_init"):
        enter_sandbox(sandbox_profile(ThreadGrant(), SocketRule.NONE))
