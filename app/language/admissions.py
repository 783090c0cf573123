"""Find sentences saying that a text doesn't say something, in the ten languages with function words.

Such a sentence names the text (or the searcher) and a denial: "The document does not mention it", "I couldn't find
it". Other negations are statements: "The guarantee does not cover glass".
"""

from __future__ import annotations

import re
from functools import cache

_TEXT = {
    "en": r"document|texts?|passages?|pages?|reports?|excerpts?|context|files?|information|details?|source|article",
    "de": r"dokument\w*|text\w*|abschnitt\w*|passagen?|seiten?|berichts?|auszug\w*|kontext|datei|information\w*"
    r"|angaben?",
    "fr": r"documents?|textes?|passages?|pages?|rapport|extraits?|contexte|fichier|informations?|indications?",
    "es": r"documentos?|textos?|pasajes?|páginas?|informe|fragmentos?|extractos?|contexto|archivo|información|datos?",
    "it": r"documento|documenti|testo|testi|passaggi\w*|pagin[ae]|rapporto|estratt[oi]|contesto|file|informazion[ei]",
    "pt": r"documentos?|textos?|trechos?|passagens?|páginas?|relatório|contexto|arquivo|ficheiro|informaç\w+|dados?",
    "nl": r"documenten?|document|teksten?|tekst|passages?|pagina\w*|rapport|fragment\w*|context|bestand|informatie",
    "pl": r"dokument\w*|tekst\w*|fragment\w*|stron\w+|raport\w*|kontek\w+|plik\w*|informacj\w+|danych",
    "sv": r"dokument\w*|text\w*|avsnitt\w*|sid\w+|rapport\w*|utdrag\w*|sammanhang\w*|fil\w*|information\w*|uppgift\w*",
    "tr": r"belge\w*|metin\w*|metn\w+|bölüm\w*|sayfa\w*|rapor\w*|alıntı\w*|bağlam\w*|dosya\w*|bilgi\w*",
}
"""The text of which it is said."""
_TELLS = (
    "mention|sa(?:y|id)|stat(?:e|ing)|specif|contain|provid|includ|g[ia]ve|tell|indicat|discuss|describ|disclos|address"
    "|answer|f[io]u?nd|appear|refer|explicit|clear|available|know|sure|determin|see"
)
_DENIAL = {
    "en": rf"(?:\bnot\b|n['’]t\b|\bcannot\b|\bnever\b|\bunable\b).{{0,50}}?\b(?:{_TELLS})|\bno\b.{{0,30}}?\b"
    r"(?:mention|information|details?|reference|answer|indication)|\bnothing (?:about|on|of the)",
    "de": r"\b(?:erwähn|nenn|gesagt|sag|steh|enth[aä]lt|angeg|gibt|finde|gefunden|beschr|hervor|beantwort|ersichtlich)"
    r"\w*.{0,50}?\b(?:nicht|nichts|kein\w*)\b|\b(?:nicht|nichts|kein\w*)\b.{0,60}?\b(?:erwähn|nenn|genannt|gesagt|sag"
    r"|steh|enth[aä]lt|angeg|gibt|find|gefund|beschr|hervor|beantwort|ersichtlich|weiß)",
    "fr": r"\b(?:ne|n['’])\s?(?:(?:y|en|le|l['’])\s?)?(?:mentionn|di[st]|indiqu|contien|précis|fourni|trouv|donn|parl"
    r"|répon|sai[st]|a |ai |est |sont ).{0,30}?\b(?:pas|aucun\w*|rien|nulle part)\b"
    r"|\baucune? (?:mention|information|indic|réponse)",
    "es": r"\bno\b.{0,40}?\b(?:menci|dice|indic|contien|especif|proporcion|encontr|encuentr|apare|consta|hay|se sabe"
    r"|da)|\bningun[ao]?\b.{0,20}?\b(?:menci|informa|dato|respuest)",
    "it": r"\bnon\b.{0,40}?\b(?:menzion|dice|indic|contien|specific|fornisc|trov|appar|riport|risult|c['’]è"
    r"|ci sono|so\b)|\bnessun\w*.{0,20}?\b(?:menzion|informazion|rispost)",
    "pt": r"\bnão\b.{0,40}?\b(?:menci|diz|indic|cont[eé]m|especific|fornec|encontr|aparec|consta|há|sei|dá)"
    r"|\bnenhum\w*.{0,20}?\b(?:menç|informaç|respost)",
    "nl": r"\b(?:niet|geen|niets|nergens)\b.{0,50}?\b(?:vermeld|genoemd|noem|zeg|gezegd|staat|bevat|gegeven|geef|vind"
    r"|gevonden|beschr|weet)|\b(?:vermeld|noem|zeg|staat|bevat|geeft|vind)\w*.{0,40}?\b(?:niet|geen|niets)\b",
    "pl": r"\bnie\b.{0,40}?\b(?:wspom|mów|podaj|poda|zawier|okreś|znal|wiem|wynika|ma\b|opis|zosta)|\bbrak\b",
    "sv": r"\b(?:inte|inget|ingen|inga|ingenting)\b.{0,50}?\b(?:nämn|säg|sagt|står|innehåll|ange|framg|hitt|finn|besk"
    r"|vet)|\b(?:nämn|säg|står|innehåll|ange|framg|hitt|finn)\w*.{0,30}?\b(?:inte|inget|ingen|inga|ingenting)\b",
    "tr": r"\b(?:bahsed|belirt|geç|yer al|içer|söyle|bulun|bulam|ver\w+m|açıkla)\w*m[iıeauü]\w*|\b(?:yok|bulunamadı"
    r"|bulunmuyor)\b",
}
"""Denials that the text says it."""
_LOOKED = {
    "en": r"\bI (?:did not|didn['’]t|do not|don['’]t|could not|couldn['’]t|cannot|can['’]t|am not able to|was unable to"
    r"|am unable to) (?:find|know|see|answer|determine|tell|locate|have)",
    "de": r"\bich (?:weiß|kann|konnte|habe|finde) .{0,60}?\b(?:nicht|nichts|keine?n?)\b",
    "fr": r"\bje (?:n['’]ai|ne (?:sais|trouve|peux|vois)) .{0,40}?(?:pas|rien|aucun)|\bje ne sais pas",
    "es": r"\bno (?:lo )?(?:encontr|encuentr|sé\b|puedo (?:encontrar|responder)|pude)",
    "it": r"\bnon (?:l['’]ho |lo |ho )?(?:trov|so\b|posso (?:trovare|rispondere)|riesco)",
    "pt": r"\bnão (?:o )?(?:encontr|sei\b|consigo|consegui|posso (?:encontrar|responder))",
    "nl": r"\bik (?:weet|kan|kon|heb|vind) .{0,50}?\b(?:niet|niets|geen)\b",
    "pl": r"\bnie (?:znalaz|wiem|mogę|znajd)",
    "sv": r"\bjag (?:vet|kan|kunde|hittar|hittade|har) .{0,30}?\b(?:inte|inget|ingen|inga)\b|\bjag (?:vet|hittar) inte",
    "tr": r"\b(?:bulamadım|bulamıyorum|bilmiyorum)\b",
}
"""Statements that the searcher hasn't found it, without naming the text."""
# Patterns with two gaps take time by the square of a sentence's length.
LONGEST = 400
"""Longest sentence examined, in characters."""


def admits_absence(sentence: str) -> bool:
    """Return whether a sentence says that the text doesn't say, or that nothing was found in it."""
    return any(pattern.match(sentence[:LONGEST]) for pattern in _compile_patterns())


@cache
def _compile_patterns() -> list[re.Pattern[str]]:
    """Compile those of all languages; that takes a while, and few need them."""
    # A look-ahead for the text in any place, then the denial in any place: order differs between languages.
    denials = [rf"(?=.*\b(?:{_TEXT[code]})\b).*?(?:{_DENIAL[code]})" for code in _TEXT]
    looked = [f".*?(?:{pattern})" for pattern in _LOOKED.values()]
    return [re.compile(pattern, re.IGNORECASE | re.DOTALL) for pattern in (*denials, *looked)]
