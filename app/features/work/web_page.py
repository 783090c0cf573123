"""Write web pages without scripts or network, light or dark as the reader has it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from app.core.catalogue import language_in_use
from app.language.language_names import is_rtl

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_LIGHT = """@media (prefers-color-scheme: light) {
  body { background-color: #FBFAF8 }
}
"""


def page_style(rules: str, dark: str, *, width: int = 44, is_tinted: bool = False, ending: str = "") -> str:
    """Return a page's style: its rules beside those that all pages have, and its rules in the dark.

    `width` is in em; `is_tinted` gives it the window's background in the light, `ending` comes last.
    """
    # Rules for the screen's scheme come last: QTextDocument stops reading there, so that what is printed is dark on
    # white.
    return f"""
body {{ color: #23201D; font-family: Inter, system-ui, sans-serif; line-height: 1.5;
  max-width: {width}em; margin: 2em auto; padding: 0 1em }}
{rules}{_LIGHT if is_tinted else ""}@media (prefers-color-scheme: dark) {{
  body {{ color: #DDD7D0; background-color: #1B1917 }}
{dark}}}
{ending}"""


def language_attributes() -> str:
    """Return language and direction of the program's own words, as attributes of an element."""
    language = language_in_use()
    return f'lang="{language}" dir="{"rtl" if is_rtl(language) else "ltr"}"'


def web_page(body: Iterable[str], title: str, style: str, *, language: str, direction: str = "") -> Iterator[str]:
    """Yield the whole page line by line."""
    from html import escape  # with a table of all entities: not before the window is seen

    yield "<!DOCTYPE html>"
    side = f' dir="{direction}"' if direction else ""
    yield f'<html lang="{escape(language)}"{side}>'
    yield '<head>\n<meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    yield '<meta name="viewport" content="width=device-width">'
    yield f"<title>{escape(title)}</title>\n<style>{style}</style>\n</head>\n<body>"
    yield from body
    yield "</body>\n</html>"
