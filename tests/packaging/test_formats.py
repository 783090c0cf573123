"""Numbers, dates and lists of the window that no language would write so are found."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    "line",
    [
        'f"{count:,}"', 'f"{speed:.1f} s"', 'f"{speed:,.2f}"', 'f"{value:.3g}"', 'f"{count:n}"', 'f"{share} %"',
        'f"{moment:%Y-%m-%d}"', 'moment.strftime("%H:%M")', '", ".join(names)', '" and ".join(names)',
        '" · ".join(facts)', "QLocale().toString(day)",
    ],
)  # fmt: skip
def test_what_no_language_decides_is_found(line: str) -> None:
    from check_formats import find_own_formats

    assert list(find_own_formats(f"shown = {line}\n"))
    assert not list(find_own_formats(f"shown = {line}  # a file's name, in every language\n"))


@pytest.mark.parametrize("line", ['f"{name}.zip"', 'f"{red:02x}"', '"".join(parts)', "format_number(count)"])
def test_what_is_no_number_or_list_is_not(line: str) -> None:
    from check_formats import find_own_formats

    assert not list(find_own_formats(f"shown = {line}\n"))


@pytest.mark.parametrize("line", ['", ".join(names)', "f\"{', '.join(names)}.\"", '"; ".join(pages)', 'join=", ".join'])
def test_lists_of_messages_and_of_the_terminal_are_joined_as_the_language_does(line: str) -> None:
    from check_formats import find_own_formats, remark_on_list

    assert list(find_own_formats(f"tell({line})\n", remark_on_list))
    assert not list(find_own_formats(f"tell({line})  # to a model, in every language\n", remark_on_list))
    assert not list(find_own_formats('tell(f"{count:,}", " ".join(names))\n', remark_on_list))
