"""Every screen has names, true roles and states, and a way for the keyboard: what a screen reader can say of it."""

from __future__ import annotations

from app.ui.text.code_view import CODE_IN
from tests.helpers.accessible_tree import Role, name_of, screen_reader_on, tree_faults, tree_of
from tests.ui.chat.conftest import Open, open_chat  # noqa: F401 - a fixture

ANSWER = """# Weather

It is **outside**, says [a page](https://example.org).

- Rain
- Wind

> It never rains.

| Kind | Dry spells |
| --- | --- |
| Sun | 3 |

```python
print(1)
```
"""
MODELS_PAGES = ("installed", "search", "storage", "compare", "blind")


def test_answer_has_its_structure(open_chat: Open) -> None:  # noqa: F811
    with screen_reader_on():
        desk = open_chat({"text": ANSWER})
        desk.ask("What is weather?")
        nodes = [(node.role(), name_of(node)) for node in tree_of(desk.chat)]
        assert not tree_faults(desk.chat)
    for expected in (
        (Role.Heading, "Weather"),
        (Role.Paragraph, "It is outside, says a page."),
        (Role.Link, "a page"),
        (Role.ListItem, "Rain"),
        (Role.BlockQuote, "It never rains."),
        (Role.ColumnHeader, "Dry spells"),
        (Role.Cell, "Sun"),
        (Role.Section, CODE_IN.format(language="python")),
    ):
        assert expected in nodes, nodes
    assert [role for role, name in nodes if name.startswith("Answer: Weather It is")] == [Role.Section]
