"""Words by which authors announce, sum up and name their sections, in the languages where they are known.

Elsewhere a sentence is judged by its words and its place alone.
"""

from __future__ import annotations

import re


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(rf"\b(?:{pattern})" for pattern in patterns), re.IGNORECASE)


CUES = {
    "announces": _any(
        r"(?:we|this paper|this work|this article|this study|paper|authors?) (?:\w+ly )?(?:propose|present|introduce|"
        r"develop|describe|investigate|explore|study|address|design|build|extend|apply|use|suggest|aim)s?\b",
        r"(?:proposed?s?|present(?:s|ed)?|introduce[sd]?) (?:a|an|the|new|novel)\b",
        r"(?:wir|diese[rs]? (?:arbeit|artikel|studie|bericht)) (?:\w+ )?(?:stell(?:en|t)|untersuch(?:en|t)|"
        r"beschreib(?:en|t)|entwickel(?:n|t)|zeig(?:en|t)|behandel(?:n|t))\b",
        r"(?:nous|cet article|ce travail|cette étude|ce rapport) (?:présent|propos|décri|étudi|introdui|développ)\w*",
        r"(?:este (?:artículo|trabajo|estudio|informe)|este (?:artigo|trabalho|estudo|relatório)|esta tesis) "
        r"(?:presenta|propone|describe|apresenta|propõe|descreve|estud)\w*",
        r"(?:proponemos|presentamos|propomos|apresentamos|proponiamo|presentiamo)\b",
        r"quest[oa] (?:articolo|lavoro|studio|relazione|tesi) (?:presenta|propone|descrive|studia)\b",
        r"(?:wij|we|dit (?:artikel|rapport|onderzoek)|deze studie) (?:\w+ )?(?:presenteren|presenteert|beschrij\w+|"
        r"onderzoek\w*|introduce\w+|ontwikkel\w*)",
        r"(?:w (?:tej|niniejszej) pracy|niniejsz\w+ (?:praca|artykuł)|przedstawiamy|proponujemy)\b",
        r"(?:в (?:этой|данной|настоящей) (?:работе|статье)|мы (?:предлагаем|представляем|рассматриваем|описываем))",
    ),
    "results": _any(
        r"(?:results?|experiments?|evaluations?|analys[ie]s|findings?) (?:\w+ )?(?:show|demonstrate|indicate|suggest|"
        r"reveal|confirm)",
        r"(?:outperform|improve|achieve|significant|better than|effective|gain|superior|increase|reduce)",
        r"(?:ergebniss?e?|versuche|auswertung|untersuchung(?:en)?) (?:\w+ )?(?:zeig|beleg|bestätig|leg)\w*",
        r"(?:signifikant|deutlich|wesentlich) (?:besser|höher|niedriger|mehr|weniger)",
        r"(?:les )?résultats (?:\w+ )?(?:montr|indiqu|suggèr|confirm|révèl)\w*",
        r"(?:los )?resultados (?:\w+ )?(?:muestran|indican|sugieren|confirman|demuestran|mostram|sugerem|confirmam)",
        r"(?:i )?risultati (?:\w+ )?(?:mostrano|indicano|suggeriscono|confermano|dimostrano)",
        r"(?:de )?resultaten (?:\w+ )?(?:tonen|laten|wijzen|bevestigen|suggereren)",
        r"wyniki (?:\w+ )?(?:pokazują|wskazują|sugerują|potwierdzają)",
        r"результаты (?:\w+ )?(?:показыва|свидетельству|подтвержда|указыва)\w*",
    ),
    "this": _any(
        r"(?:in|of) this (?:paper|work|article|study|report|document|chapter|book)\b",
        r"our (?:approach|method|model|results|experiments|system|work|framework|findings)\b",
        r"(?:in|mit) diese[rm] (?:arbeit|artikel|studie|bericht|kapitel|buch)\b",
        r"dans (?:cet article|ce travail|cette étude|ce rapport|ce chapitre)\b",
        r"(?:en|neste|nesta|in) (?:este|esta|quest[oa]) ?(?:artículo|trabajo|estudio|capítulo|lavoro|studio|capitolo)",
        r"(?:neste|nesta) (?:artigo|trabalho|estudo|relatório|capítulo)\b",
        r"in (?:dit|deze) (?:artikel|rapport|onderzoek|studie|hoofdstuk)\b",
    ),
    "contrast": _any(
        r"(?:however|but|although|despite|lack|difficult|challeng|problem|limited|unfortunately|remain|fail|"
        r"expensive|costly)",
        r"(?:jedoch|aber|obwohl|trotz|leider|schwierig)\b",
        r"(?:cependant|mais|bien que|malgré|toutefois|malheureusement)\b",
        r"(?:sin embargo|pero|aunque|a pesar|no entanto|porém|embora|apesar)\b",
        r"(?:tuttavia|però|sebbene|nonostante|purtroppo)\b",
        r"(?:echter|maar|hoewel|ondanks|helaas)\b",
        r"(?:jednak|ale|chociaż|pomimo|niestety)\b",
        r"(?:однако|но|хотя|несмотря|к сожалению)\b",
    ),
    "sums_up": _any(
        r"(?:in conclusion|to conclude|conclude[sd]?|in summary|to summarize|in short|overall|finally|therefore|thus|"
        r"main|important|key|goal|purpose|aim)\b",
        r"(?:zusammenfassend|insgesamt|schließlich|daher|somit|deshalb|wichtig(?:ste[nrs]?)?|ziel|zweck)\b",
        r"(?:en conclusion|en résumé|finalement|donc|important|principal|objectif|but de)\b",
        r"(?:en conclusión|en resumen|finalmente|por tanto|importante|principal|objetivo|em conclusão|em resumo|"
        r"portanto)\b",
        r"(?:in conclusione|in sintesi|infine|quindi|pertanto|importante|principale|obiettivo|scopo)\b",
        r"(?:concluderend|samenvattend|kortom|uiteindelijk|daarom|dus|belangrijk(?:ste)?|doel)\b",
        r"(?:podsumowując|w skrócie|ostatecznie|dlatego|zatem|ważn\w+|główn\w+|cel)\b",
        r"(?:таким образом|в заключение|итак|наконец|поэтому|важн\w+|главн\w+|цель)\b",
    ),
}
"""By the names of the weights in `digest`."""
SECTIONS = {
    "abstract": _any(
        r"(?:abstract|executive summary|summary|overview|zusammenfassung|kurzfassung|überblick|résumé|resumen|resumo|"
        r"sommario|riassunto|samenvatting|streszczenie|аннотация|резюме|要旨|摘要|要約)"
    ),
    "introduction": _any(
        r"(?:introduction|einleitung|einführung|introducción|introdução|introduzione|inleiding|wstęp|wprowadzenie|"
        r"введение|はじめに|引言|前言)"
    ),
    "conclusion": _any(
        r"(?:conclusions?|conclud|discussion|fazit|schluss|diskussion|ausblick|conclusión|conclusiones|conclusão|"
        r"conclusioni|conclusie|wnioski|podsumowanie|заключение|выводы|おわりに|まとめ|结论|結論)"
    ),
}
"""What a section is called that tells of the whole; by the names of the weights in `digest`."""
NOT_SUMMED_UP = _any(
    r"(?:references|bibliography|works cited|acknowledge?ments?|appendi(?:x|ces)|index|table of contents|contents|"
    r"literatur(?:verzeichnis)?|quellen(?:verzeichnis)?|danksagung|anhang|inhalt(?:sverzeichnis)?|bibliographie|"
    r"remerciements|annexes?|table des matières|bibliografía|referencias|agradecimientos|índice|referências|"
    r"bibliografia|agradecimentos|ringraziamenti|indice|bijlage|inhoudsopgave|spis treści|podziękowania|"
    r"литература|список литературы|благодарности|приложение|содержание|参考文献)\b"
)
"""Sections that point elsewhere, or thank."""
