"""Tell which languages a model translates and how to prompt it, from catalog, header and name.

A model's languages are those its makers name. An unknown instruct model of a billion weights or more is offered the
languages most such models were trained with: a guess, backed by the checks of each translation. Smaller unknown ones
count as English only, and models without a chat template as unable to translate.
"""

from __future__ import annotations

import logging
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from app.core.errors.app_error import AppError
from app.core.events import ModelLoaded
from app.core.gguf import known_header
from app.core.lazy_dataclasses import dataclass, replace
from app.core.paths import runs_elsewhere
from app.hub.catalog import CatalogEntry, load_catalog
from app.language.language_names import LANGUAGES, base_code
from app.remote.servers import USUAL_WEIGHTS, weights_in_name

log = logging.getLogger(__name__)

GENERIC, HY_MT2, HY_MT1, TRANSLATE_GEMMA = "generic", "hy-mt2", "hy-mt1", "translate-gemma"
LEAST_WEIGHTS, LEAST_UNKNOWN_WEIGHTS = 4e8, 1e9
BYTES_A_WEIGHT = 0.6
"""Of the usual 4-bit files, where the file itself cannot be asked."""


@dataclass(frozen=True)
class KnownLanguages:
    """A model's languages and prompting.

    `family` is generic, hy-mt2, hy-mt1 (HY-MT1.5 and Hunyuan-MT) or translate-gemma.

    `languages` are codes of `languages.LANGUAGES`. `segments`, `input_tokens` and `context_segments` are the
    catalog's request sizes, 0 if unknown. `is_guess`: known only from the name. `is_for_code`: a coding model.
    """

    family: str
    languages: tuple[str, ...]
    takes_domain: bool
    takes_formality: bool
    takes_glossary: bool
    segments: int = 0
    input_tokens: int = 0
    context_segments: int = 0
    is_guess: bool = False
    is_for_code: bool = False


def known_languages(model: Path | None) -> KnownLanguages:
    """Return a model file's languages; none without a file."""
    if model is None:
        return _family_languages(GENERIC, ())
    if runs_elsewhere(model):
        return _languages_by_name(model.stem, {}, weights_in_name(model.stem) or USUAL_WEIGHTS)
    try:
        facts = model.stat()
    except OSError:
        return _languages_by_name(model.name, {}, 0.0)
    return _of_file(model, facts.st_size, facts.st_mtime_ns)


def weights_of(loaded: ModelLoaded) -> float:
    """Return a model's number of weights, reported or estimated from the file's size; 0 if unknown."""
    return loaded.weights or loaded.size_bytes / BYTES_A_WEIGHT


def weights_in(model: Path) -> float:
    """Return the number of weights by a file's header, 0 if unreadable; of a remote model by its name."""
    if runs_elsewhere(model):
        return float(weights_in_name(model.stem))
    try:
        return float(known_header(model).weights)
    except AppError:
        return 0.0


def can_translate(knows: KnownLanguages, source: str, target: str) -> bool:
    """Return whether a model knows both languages; with `source` "", the target and at least one other."""
    others = [code for code in knows.languages if base_code(code) != base_code(target)]
    if not _has_language(knows, target):
        return False
    return _has_language(knows, source) if source else bool(others)


def _has_language(knows: KnownLanguages, code: str) -> bool:
    return base_code(code) in {base_code(language) for language in knows.languages}


@lru_cache(maxsize=64)
def _of_file(model: Path, size_bytes: int, _changed: int) -> KnownLanguages:
    entry = next(
        (catalog_entry for catalog_entry in load_catalog() if catalog_entry.is_file(model.name, size_bytes)), None
    )
    metadata: dict[str, Any] = {}
    weights = size_bytes / BYTES_A_WEIGHT
    try:
        header = known_header(model)
        metadata = dict(header.metadata)
        weights = float(header.weights)
        # A model without a chat template answers nobody, so it translates nothing.
        if not metadata.get("tokenizer.chat_template"):
            return _family_languages(GENERIC, ())
    except AppError as error:
        log.info("what %s can translate is guessed from its name: %s", model.name, error)
    found = _languages_by_name(f"{model.name} {entry.name if entry else ''}", metadata, weights)
    return _with_entry(found, entry) if entry else found


def _with_entry(found: KnownLanguages, entry: CatalogEntry) -> KnownLanguages:
    told = tuple(code for code in entry.language_codes if _is_known(code))
    family = entry.translation_prompt or found.family
    chunk = entry.chunks.get("translate")
    sizes = (chunk.segments, chunk.input_tokens, chunk.context_paragraphs) if chunk else (0, 0, 0)
    known = _family_languages(family, told or found.languages, *sizes)
    # The list's own statement isn't a guess.
    return replace(known, is_guess=found.is_guess and not told, is_for_code=found.is_for_code)


def _languages_by_name(name: str, metadata: dict[str, Any], weights: float) -> KnownLanguages:
    """Guess from the names in header and file; `weights` is 0 if unknown."""
    keys = ("architecture", "name", "basename", "finetune", "size_label")
    said = " ".join([name, *(str(metadata.get(f"general.{key}", "")) for key in keys)]).casefold()
    # Specialised translators first: their names hold the family's as well ("gemma").
    for pattern, family in _TRANSLATORS:
        if re.search(pattern, said):
            return _family_languages(family, _GEMMA_TRANSLATES if family == TRANSLATE_GEMMA else _HUNYUAN)
    if weights < LEAST_WEIGHTS or re.search(_ENGLISH_ONLY, said):
        return _family_languages(GENERIC, ("en",))
    guessed = next((languages for pattern, languages in _MAKERS if re.search(pattern, said)), COMMON)
    # A small model of an unknown maker is hardly made for more than English.
    if guessed is COMMON and weights < LEAST_UNKNOWN_WEIGHTS:
        guessed = ("en",)
    return replace(_family_languages(GENERIC, guessed), is_guess=True, is_for_code=bool(re.search(_FOR_CODE, said)))


def _family_languages(
    family: str, languages: tuple[str, ...], segments: int = 0, tokens: int = 0, context: int = 0
) -> KnownLanguages:
    takes_more = family in (GENERIC, HY_MT2)
    return KnownLanguages(family, languages, takes_more, takes_more, takes_more, segments, tokens, context)


def _is_known(code: str) -> bool:
    return any(language.code == code for language in LANGUAGES)


_TRANSLATORS = (
    (r"hy[-_ ]?mt[-_ ]?2", HY_MT2),
    (r"hy[-_ ]?mt|hunyuan[-_ ]?mt", HY_MT1),
    (r"translate[-_ ]?gemma", TRANSLATE_GEMMA),
)
_FOR_CODE = r"\bcoder?\b|code[-_ ]?(?:llama|gemma|qwen)|codestral|devstral|starcoder|granite[-_ ]?code"
_ENGLISH_ONLY = (
    r"smollm(?!3)|tinyllama|\bphi[-_ ]?[12]\b|gpt[-_ ]?2\b|pythia|olmo|stablelm|orca[-_ ]?mini|danube"
    r"|gpt[-_ ]?j\b|mpt[-_ ]"
)
ALL = tuple(language.code for language in LANGUAGES if language.code != "pt")
"""Of models that were trained with a hundred languages or more."""


def _split_codes(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_LARGEST = "en de fr es it pt-BR pt-PT nl ru ja ko zh zh-Hant ar"
COMMON = _split_codes(f"{_LARGEST} pl uk cs sk hu ro bg el sv da nb fi tr he fa hi bn id ms vi th ca hr sr lt lv et sl")
_HUNYUAN = _split_codes(
    "zh en fr pt es ja tr ru ar ko th it de vi ms id tl hi zh-Hant pl cs nl km my fa gu ur te mr he bn ta uk bo kk mn "
    "ug yue"
)
_GEMMA_TRANSLATES = _split_codes(
    "ar bg bn ca cs da de el en es et fa fi tl fr gu he hi hr hu id is it ja kn ko lt lv ml mr nl nb pa pl pt-BR pt-PT "
    "ro ru sk sl sr sv sw ta te th tr uk ur vi zh zh-Hant zu"
)
_MAKERS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"qwen[-_ ]?3|gemma[-_ ]?[34]", ALL),
    (r"qwen", _split_codes(f"{_LARGEST} pl cs he tr vi th id ms my km bn hi ur tl fa")),
    (
        r"eurollm",
        _split_codes(
            "en de fr es it pt-PT pt-BR nl pl cs sk sl hr hu ro bg el sv da fi et lv lt ga ca gl nb ru uk tr ar hi ja "
            "ko zh"
        ),
    ),
    (r"granite", _split_codes("en de es fr ja pt-BR pt-PT ar cs it ko nl zh")),
    (r"lfm2", _split_codes("en ar zh fr de ja ko es")),
    (r"smollm3", _split_codes("en fr es de it pt-BR pt-PT")),
    (r"llama[-_ ]?4", _split_codes("en ar fr de hi id it pt-BR pt-PT es tl th vi")),
    (r"llama[-_ ]?3", _split_codes("en de fr it pt-BR pt-PT hi es th")),
    (r"phi[-_ ]?4", _split_codes("en ar zh cs da nl fi fr de he hu it ja ko nb pl pt-BR pt-PT ru es sv th tr uk")),
    (r"phi[-_ ]?3", ("en",)),
    (r"ministral|mistral|magistral|nemo\b", _split_codes(f"{_LARGEST} pl hi")),
)
"""Languages named by each family's makers; the first match counts."""
