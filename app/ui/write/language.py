"""What a page is written in: prose, or one of the languages that Pygments knows, by its file or as a person says."""

from __future__ import annotations

from pathlib import Path

TEXT = "text"
PROSE = ("", TEXT, "markdown", "rst", "tex")
"""Shown as text, in whatever colours."""
LANGUAGES: tuple[tuple[str, str], ...] = (
    (TEXT, "Text"),
    ("markdown", "Markdown"),
    ("bash", "Bash"),
    ("c", "C"),
    ("cpp", "C++"),
    ("csharp", "C#"),
    ("css", "CSS"),
    ("go", "Go"),
    ("html", "HTML"),
    ("java", "Java"),
    ("javascript", "JavaScript"),
    ("json", "JSON"),
    ("kotlin", "Kotlin"),
    ("lua", "Lua"),
    ("make", "Makefile"),
    ("php", "PHP"),
    ("python", "Python"),
    ("r", "R"),
    ("ruby", "Ruby"),
    ("rust", "Rust"),
    ("sql", "SQL"),
    ("swift", "Swift"),
    ("toml", "TOML"),
    ("typescript", "TypeScript"),
    ("xml", "XML"),
    ("yaml", "YAML"),
)
"""Pygments' names, and what people call them."""


def language_of(file: Path | None) -> str:
    """The language of a file, by its name; that of text where the name says none."""
    if file is None:
        return TEXT
    from pygments.lexers import get_lexer_for_filename
    from pygments.util import ClassNotFound

    try:
        aliases = get_lexer_for_filename(file.name).aliases
    except ClassNotFound:
        return TEXT
    return next((alias for alias in aliases if alias in dict(LANGUAGES)), aliases[0] if aliases else TEXT)


def is_text_file(path: Path) -> bool:
    """Whether a file is text or source by its name."""
    return language_of(path) != TEXT or path.suffix.lower() in (".txt", ".text", ".log")


def languages_with(language: str) -> list[tuple[str, str]]:
    """All that are offered, and this one."""
    if language in dict(LANGUAGES):
        return list(LANGUAGES)
    from pygments.lexers import get_lexer_by_name

    return [*LANGUAGES, (language, str(get_lexer_by_name(language).name))]


def is_code(language: str) -> bool:
    """Whether it is shown in the letters of code."""
    return language not in PROSE


def file_name(title: str, language: str) -> str:
    """What a page is called as a file, as long as nobody says otherwise."""
    endings = {
        "markdown": ".md", "bash": ".sh", "c": ".c", "cpp": ".cpp", "csharp": ".cs", "css": ".css", "go": ".go",
        "html": ".html", "java": ".java", "javascript": ".js", "json": ".json", "kotlin": ".kt", "lua": ".lua",
        "php": ".php", "python": ".py", "r": ".r", "ruby": ".rb", "rust": ".rs", "sql": ".sql", "swift": ".swift",
        "toml": ".toml", "typescript": ".ts", "xml": ".xml", "yaml": ".yaml",
    }  # fmt: skip
    letters = "".join(one if one.isalnum() or one in "-_ " else " " for one in title)
    stem = " ".join(letters.split())[:40].strip()
    return (stem or "Page") + endings.get(language, ".txt")
