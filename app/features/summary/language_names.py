"""The English names of languages, as models know them from their training."""

from __future__ import annotations

NAMES = {
    "af": "Afrikaans", "ar": "Arabic", "az": "Azerbaijani", "be": "Belarusian", "bg": "Bulgarian",
    "bn": "Bengali", "bo": "Tibetan", "bs": "Bosnian", "ca": "Catalan", "cs": "Czech", "cy": "Welsh",
    "da": "Danish", "de": "German", "el": "Greek", "en": "English", "eo": "Esperanto", "es": "Spanish",
    "et": "Estonian", "eu": "Basque", "fa": "Persian", "fi": "Finnish", "fr": "French", "ga": "Irish",
    "gl": "Galician", "gu": "Gujarati", "he": "Hebrew", "hi": "Hindi", "hr": "Croatian", "hu": "Hungarian",
    "hy": "Armenian", "id": "Indonesian", "is": "Icelandic", "it": "Italian", "ja": "Japanese",
    "ka": "Georgian", "kk": "Kazakh", "km": "Khmer", "kn": "Kannada", "ko": "Korean", "la": "Latin",
    "lo": "Lao", "lt": "Lithuanian", "lv": "Latvian", "mk": "Macedonian", "ml": "Malayalam", "mn": "Mongolian",
    "mr": "Marathi", "ms": "Malay", "mt": "Maltese", "my": "Burmese", "nb": "Norwegian Bokmål", "ne": "Nepali",
    "nl": "Dutch", "nn": "Norwegian Nynorsk", "no": "Norwegian", "or": "Odia", "pa": "Punjabi", "pl": "Polish",
    "pt": "Portuguese", "pt-br": "Brazilian Portuguese", "ro": "Romanian", "ru": "Russian", "si": "Sinhala",
    "sk": "Slovak", "sl": "Slovenian", "sq": "Albanian", "sr": "Serbian", "sv": "Swedish", "sw": "Swahili",
    "ta": "Tamil", "te": "Telugu", "th": "Thai", "tl": "Tagalog", "tr": "Turkish", "uk": "Ukrainian",
    "ur": "Urdu", "uz": "Uzbek", "vi": "Vietnamese", "zh": "Chinese", "zh-tw": "Traditional Chinese",
    "zu": "Zulu",
}  # fmt: skip
"""By ISO 639-1 code, in small letters, with a region where it makes a difference."""

WITHOUT_WORD_SPACES = frozenset(("bo", "ja", "km", "lo", "my", "th", "zh", "zh-tw"))
"""In these a length is asked for in sentences: words are not divided by spaces."""


def language_name(code: str) -> str:
    """The English name of a language; an unknown code stands for itself, "" for none."""
    wanted = code.casefold().replace("_", "-")
    return NAMES.get(wanted) or NAMES.get(wanted.partition("-")[0], code)


def counts_sentences(code: str) -> bool:
    """Whether a length in this language is told in sentences, not in words."""
    wanted = code.casefold().replace("_", "-")
    return wanted in WITHOUT_WORD_SPACES or wanted.partition("-")[0] in WITHOUT_WORD_SPACES
