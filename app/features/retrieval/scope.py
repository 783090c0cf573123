"""Tell whether a question is about a whole document ("list all dates", "what is this about") or one place.

Word rules, in the languages the splitter and the checks know best. Some kinds (dates, addresses, headings) are found
exactly without a model; for the rest a model reads section by section. A missed question is answered from passages as
usual; a false positive shows an offer that can be ignored. `tests/data/surveys/questions.tsv` has the questions the
rules were made from, and held-out ones.
"""

from __future__ import annotations

import re

from app.features.retrieval.question_scope import QuestionScope, WantedScope

# What is longer is a text that came with a question.
LONGEST_QUESTION = 400
"""Letters."""
LONGEST_TERM = 60


def scope_of(question: str) -> WantedScope | None:
    """Return what a question wants of the whole document; None if it is about one place, or none."""
    # "List all dates in chapter 3" is about one place, however it is put.
    if not (text := _normalize_question(question)) or len(text) > LONGEST_QUESTION or _ONE_PLACE.search(text):
        return None
    # The order matters: "where are all dates mentioned" asks for dates, not for the words "all dates".
    if words := _mentioned_words(text):
        return WantedScope(QuestionScope.MENTIONS, words, is_counted=bool(_HOW_MANY.search(text)))
    return _exact_scope(text) or _about_scope(text) or _list_scope(text)


def _normalize_question(question: str) -> str:
    text = " ".join(question.split()).translate(_SAME).casefold()
    return text.rstrip(" .?!。？！…").lstrip(" ¿¡")


# Keyboards, phones and word processors write different quotation marks.
_SAME = str.maketrans(dict.fromkeys("’‘ʼ`´", "'") | dict.fromkeys("“”„«»「」『』‹›", '"'))


# Rows are languages: English, German, French, Spanish, Portuguese, Italian, Dutch, Polish, Russian; `unspaced` has
# those without spaces, Chinese, Japanese and Korean, as no word of theirs has an edge.
def _any_pattern(*rows: str, unspaced: str = "") -> re.Pattern[str]:
    spaced = rf"\b(?:{'|'.join(rows)})\b" if rows else ""
    return re.compile("|".join(part for part in (spaced, unspaced) if part))


_NUMBER = (
    r"(?:\d|[ivxlc]+\b|[a-h]\b|one\b|two\b|three\b|four\b|five\b|eins\b|zwei\b|drei\b|deux\b|trois\b|dos\b|tres\b)"
)
_PARTS = (
    r"chapters?|sections?|sec\.|pages?|p\.|paragraphs?|parts?|clauses?|articles?|annex|appendix|tables?|figures?|"
    r"slides?|sheets?|steps?|items?|lines?|footnotes?|kapitel|abschnitt|seiten?|absatz|teil|artikel|klausel|"
    r"paragra(?:ph|f)|anhang|tabelle|abbildung|folie|ziffer|punkt|chapitres?|paragraphe|partie|annexe|tableau|alinéa|"
    r"capítulos?|sección|página|párrafo|parte|artículo|cláusula|anexo|tabla|figura|apartado|seção|secção|parágrafo|"
    r"artigo|tabela|capitolo|sezione|pagina|paragrafo|articolo|clausola|allegato|tabella|comma|punto|hoofdstuk|"
    r"paragraaf|bladzijde|alinea|deel|bijlage|tabel|figuur|rozdzia\w*|sekcj\w+|stroni\w*|stron[aęy]|akapi\w+|części?|"
    r"artyku\w+|paragraf\w*|załącznik\w*|tabel\w+|punk\w+|ust\.|art\.|глав\w+|раздел\w*|страниц\w*|абзац\w*|част\w+|"
    r"стать\w+|пункт\w*|параграф\w*|приложени\w+|таблиц\w+|рисун\w+"
)
_ORDINALS = (
    r"first|second|third|fourth|fifth|last|next|previous|this|that|erste[nrs]?|zweite[nrs]?|dritte[nrs]?|"
    r"letzte[nrs]?|premi(?:er|ère)|deuxième|troisième|derni(?:er|ère)|primer[ao]?|segund[ao]|tercer[ao]?|últim[ao]|"
    r"primeir[ao]|terceir[ao]|prim[ao]|second[ao]|terz[ao]|ultim[ao]|eerste|tweede|derde|laatste|pierwsz\w+|drug\w+|"
    r"trzeci\w*|ostatni\w*|перв\w+|втор\w+|треть\w+|последн\w+"
)
_ONE_PLACE = re.compile(
    rf"\b(?:{_PARTS})\s*(?:no\.?|nr\.?|n°|№)?\s*{_NUMBER}|§|\b(?:{_ORDINALS}) (?:\w+ )?(?:{_PARTS})\b|"
    r"\b(?:introduction|conclusion|abstract|preface|einleitung|vorwort|préface|introducción|introdução|introduzione|"
    r"inleiding|wstęp\w*|введени\w+)\b|"
    r"第\s*[\d一二三四五六七八九十百两〇]+\s*[章节節页頁条條部段回項款]|\d+\s*(?:ページ|頁|章|節|条|页|장|절|조|쪽|페이지)"
)

_DOCUMENT = (
    r"(?:this|it|that|these|those|everything|the|whole|entire|all of (?:it|this)|your|my|attached|uploaded|long|above|"
    r"of|diese[mnrs]?|de[rms]|das|den|ganze[mnrs]?|le|la|les|ce|cet|cette|du|tout|es|el|este|esta|"
    r"todo|toda|o|a|os|do|da|deste|desta|il|lo|questo|questa|del|dello|della|tutto|tutta|de|het|dit|deze|ten|tego|to|"
    r"tej|"
    r"cały|całego|этот|эта|это|эту|этой|этого|весь|всю|всей|always|"
    r"documents?|texts?|papers?|books?|reports?|articles?|contracts?|agreements?|files?|pdfs?|novels?|story|stories|"
    r"manuals?|handbooks?|essays?|thesis|studies|study|leases?|letters?|minutes|thing|attachments?|presentation|"
    r"meetings?|"
    r"interviews?|conversations?|transcripts?|lectures?|talks?|"
    r"dokumente?s?|textes?|buch(?:es|s)?|bericht(?:es|s)?|artikels?|vertrag(?:es|s)?|datei|aufsatz|arbeit|roman|studie|"
    r"documento|texte|livre|rapport|contrat|fichier|étude|texto|libro|informe|artículo|contrato|archivo|livro|"
    r"relatório|artigo|arquivo|testo|relazione|rapporto|articolo|contratto|tekst|boek|verslag|contract|bestand|"
    r"dokument\w*|tekst\w*|książk\w*|raport\w*|artykuł\w*|umow\w*|plik\w*|документ\w*|текст\w*|книг\w*|отч[её]т\w*|"
    r"стать\w*|договор\w*|файл\w*)"
)
# A summary "of it" is of all; "of the risks" is of a place.
_JUST_THE_DOCUMENT = re.compile(rf"(?:\W*\b{_DOCUMENT}\b)*\W*")
_SHORTLY = re.compile(
    r"(?:,? (?:please|bitte|s'il (?:te|vous) pla[iî]t|por favor|per favore|alsjeblieft|proszę|пожалуйста|for me|"
    r"für mich|"
    r"briefly|shortly|kurz|quickly|again|brevemente|(?:in|into|as|auf|en|em|con|w|в|using|with) (?:\w+[ -]){0,4}?"
    r"(?:sentences?|words?|bullet(?: point)?s?|points?|paragraphs?|lines?|sätzen?|stichpunkten|stichworten|worten?|"
    r"phrases?|mots|lignes|frases?|palabras|puntos|palavras|pontos|frasi|parole|righe|punti|zinnen|woorden|zdaniach|"
    r"słowach|punktach|предложени\w+|словах|english|german|german|french|spanish|deutsch|englisch|français|español)))+$"
)

_KEY = (
    r"main|key|most important|central|essential|major|core|principal|crucial|wichtigste[nr]?|zentrale[nr]?|"
    r"wesentliche[nr]?|principa(?:ux|les?|li|is)|essentiel(?:le)?s?|clés?|clave|centra(?:les|is|li|ux)|importantes|"
    r"fundamentales|chave|fundamentais|chiave|salienti|belangrijkste|voornaamste|najważniejsze|główne|kluczowe|"
    r"основны[ею]|главны[ею]|ключевы[ею]"
)
_POINTS = (
    r"points?|ideas?|arguments?|findings?|topics?|themes?|conclusions?|messages?|takeaways?|statements?|facts|results?|"
    r"aspects?|claims?|insights?|punkte|aussagen?|ergebnisse|erkenntnisse|thesen|inhalte|themen|gedanken|argumente|"
    r"idées|thèmes|messages|résultats|enseignements|puntos|conclusiones|temas|argumentos|resultados|pontos|ideias|"
    r"conclusões|punti|idee|conclusioni|temi|argomenti|risultati|punten|conclusies|bevindingen|ideeën|thema's|wnioski|"
    r"punkty|tezy|idee|informacje|wątki|выводы|мысли|идеи|тезисы|положения|моменты|темы"
)
_IS_ABOUT = _any_pattern(
    rf"what(?:'s| is| are| was|s)? (?:{_DOCUMENT} ){{1,4}}(?:all )?about(?: (?:exactly|please|overall|really|"
    rf"basically|in \w+))*$",
    rf"what (?:is|was|were|are) (?:\w+ ){{0,3}}?(?:discussed|said|talked about|covered|described|the (?:focus|"
    rf"topics?|subjects?)"
    rf"(?: \w+){{0,2}}|the resolutions) (?:in|of) (?:{_DOCUMENT} ?){{1,4}}$",
    rf"what (?:topics?|subjects?|themes?) (?:does|do|are|is) (?:{_DOCUMENT} ?){{1,4}}(?:cover(?:ed)?|about|deal with|"
    rf"discuss(?:ed)?)?",
    rf"what (?:does|do) (?:{_DOCUMENT} ?|author ?|authors ?){{1,4}}(?:cover|deal with|discuss|argue|say|claim|"
    rf"conclude|contain|want)$",
    r"tl;?dr|gist|nutshell|takeaways?|overview|what's in (?:it|here|this)|big picture",
    rf"worum (?:geht|handelt)|wovon (?:handelt|erzählt|spricht)|was steht in (?:{_DOCUMENT} ?){{1,3}}(?:drin)?$|"
    r"inhaltsangabe|kurzfassung|überblick|(?:kern|haupt)aussagen?|was sind die (?:kern|haupt)punkte",
    rf"de quoi (?:est-il question|(?:parle|traite|s'agit)(?:-t-il)?)|aperçu|vue d'ensemble|l'essentiel|"
    rf"que (?:dit|raconte|contient) (?:{_DOCUMENT} ?){{1,3}}$",
    rf"de qué (?:trata|va|habla)|panorama general|visión general|lo esencial|qué dice (?:{_DOCUMENT} ?){{1,3}}$",
    rf"(?:do|de) que (?:se )?(?:trata|fala)|sobre o que (?:é|fala)|visão geral|o que diz (?:{_DOCUMENT} ?){{1,3}}$",
    rf"di (?:che )?cosa (?:parla|tratta|si tratta)|panoramica|(?:che )?cosa dice (?:{_DOCUMENT} ?){{1,3}}$",
    r"waar gaat .{0,40}\bover|waarover gaat|overzicht|hoofdpunten|kern van",
    r"o czym (?:jest|mówi|traktuje|opowiada)|omówienie|zarys",
    rf"о ч[её]м (?:{_DOCUMENT} ?|говорится ?|идет ?|идёт ?|речь ?|в ?){{1,5}}$|кратк\w+ (?:содержание|изложение)|"
    rf"в двух словах|суть",
    rf"(?:{_KEY}) (?:\w+ )?(?:{_POINTS})|(?:{_POINTS}) (?:\w+ )?(?:{_KEY})",
    unspaced=r"(?:讲了|讲的是|说了|说的是|讲述|谈了|講了|說了|是关于|关于|關於)(?:些)?(?:什么|什麼)|主要内容|主要內容|大意|要点|要點|"
    r"中心思想|何について|概要|要点|あらすじ|どんな内容|どういう内容|主な(?:内容|主張|論点)|"
    r"무엇에 (?:관한|대한)|무슨 내용|핵심|개요",
)
_SUMMARY = _any_pattern(
    r"summar(?:y|ies|i[sz]e[ds]?|i[sz]ing|i[sz]ation)|sum (?:it|this) up|recap|zusammenfass\w*|fass\w* .{1,60}zusammen|"
    r"résum\w+|synthèse|synthétise\w*|resum(?:e|en|ir|a|o|ão|amos)|resúmeme|resúmelo|resumen|resumo|sintetiza\w*|"
    r"síntesis|"
    r"síntese|riassum\w*|riassunto|sintesi|vat .{1,60}samen|samenvatt\w*|samenvat|stre[śs][zć]\w*|podsumuj\w*|"
    r"podsumowani\w*|перескаж\w*|пересказ\w*|резюм\w*|подвед\w+ итог\w*|обобщ\w*|суммируй\w*",
    unspaced=r"总结|總結|概括|概述|摘要|归纳|歸納|要約|まとめ|요약|정리해",
)


def _about_scope(text: str) -> WantedScope | None:
    if _IS_ABOUT.search(text):
        return WantedScope(QuestionScope.ABOUT)
    if (found := _SUMMARY.search(text)) is None:
        return None
    summed_up = f"{' '.join(found[0].split()[1:-1])} {text[found.end() :]}"  # "fasse den Text zusammen"
    # Without blanks no word has an edge, so what is summed up cannot be told.
    is_of_all = _UNSPACED.search(text) or _JUST_THE_DOCUMENT.fullmatch(_SHORTLY.sub("", summed_up))
    return WantedScope(QuestionScope.ABOUT) if is_of_all else None


_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")

_ALL = _any_pattern(
    r"all|every|each|everything|everyone|everybody|any of|alle[nrsm]?|alles|sämtliche\w*|jede[nrsm]?|tou(?:s|tes)|"
    r"chaque|tout ce|todos|todas|cada|todo lo|tudo|tutt[ie]|ogni|tutto ciò|elke?|wszystki\w+|wszystko|każd\w+|все|всех|"
    r"всё|кажд\w+",
    unspaced="所有|全部|每个|每個|每一|すべて|全て|あらゆる|모든|모두|전부",
)
_LISTING = _any_pattern(
    r"list|lists|listing|enumerate|extract|collect|find|name|show|give me|gather|compile|timeline|identify|"
    r"liste?|auflist\w*|nenne?|nennen|zähle?|aufzähl\w*|gib mir|zeige?|such\w*|finde\w*|stelle?|"
    r"listez|lister|énum\w+|donne\w*|relève\w*|cite[rz]?|extrai\w+|trouve\w*|dresse\w*|montre\w*|"
    r"lista|listar|enumera\w*|haz|menciona|extrae|encuentra|dame|busca|muestra|indica|"
    r"enumer\w+|faça|extraia|encontre|mostre|dê|"
    r"elenca\w*|elenco|fammi|estrai|trova|mostra\w*|dammi|indica\w*|"
    r"lijst|noem|som|opsomm\w+|geef|zoek|toon|maak|"
    r"wypisz|wymień|lista|listę|podaj|znajdź|pokaż|sporządź|zrób|wylicz|"
    r"перечисл\w+|список|назови\w*|найди\w*|выпиши\w*|покажи\w*|составь\w*",
    unspaced="列出|列举|列舉|找出|提取|整理出|清单|清單|挙げて|列挙|一覧|リスト|抜き出|抽出|나열|찾아|목록|뽑아",
)
_OCCURS = _any_pattern(
    r"mention(?:ed|s)?|named|listed|described|discussed|cited|quoted|given|stated|used|contained|covered|occurs?|"
    r"appears?|come up|are there|is there|there are|in here|in (?:this|the) (?:\w+ )?(?:document|text|paper|book|"
    r"report|"
    r"article|contract|file|pdf|novel|manual|agreement)|referred to|reported|raised|anywhere|"
    r"erwähnt\w*|genannt\w*|vorkomm\w*|komm(?:en|t) .{0,40}\bvor|vor|aufgeführt\w*|auftauch\w*|tauch\w+|beschrieben\w*|"
    r"drin|darin|gibt es|enthalten\w*|enthält|zitiert\w*|angegeben\w*|"
    r"mentionn\w+|cités?|citées?|évoqué\w*|figurent?|apparai\w+|nommé\w*|décrit\w*|y a-t-il|contient|indiqué\w*|"
    r"présent\w*|"
    r"mencion\w+|aparece\w*|figura\w*|salen|sale|citad\w*|nombra\w*|descri\w+|hay|contiene\w*|se indican|"
    r"constam|há|contém|nomead\w*|existem|"
    r"menzionat\w*|nominat\w*|compa(?:re|iono)|citat\w*|descritt\w*|ci sono|indicat\w*|vengono|"
    r"genoemd\w*|vermeld\w*|voorkom\w*|komt?.{0,40}\bvoor|komen .{0,40}\bvoor|staan|beschreven|aangehaald|zijn er|"
    r"bevat|"
    r"wymienion\w*|występuj\w*|pojawia\w*|wspomnian\w*|podan\w*|opisan\w*|są w|zawiera|"
    r"упомина\w*|упомянут\w*|встреча\w*|указан\w*|назван\w*|описан\w*|есть|содерж\w+|приведен\w*|фигурир\w+",
    unspaced="提到|提及|出现|出現|涉及|包含|有哪些|哪些|登場|出てく|出てき|言及|記載|書かれて|含まれ|挙げられ|언급|나오|등장|있나|있습니까",
)
_HOW_MANY = _any_pattern(
    r"how many|how often|count|number of|wie ?viele?|wie oft|anzahl|zähle|combien|nombre d[e']|cu[áa]nt[ao]s|número de|"
    r"quant[ao]s|quant[ie]|quante volte|numero di|hoeveel|hoe vaak|aantal|ile|ilu|liczba|сколько|количество|число",
    unspaced="多少|几个|幾個|几次|幾次|几家|几位|几处|数量|いくつ|何回|何人|何件|何個|何社|몇",
)
_WHICH = _any_pattern(
    r"which|what|who|whose|welche[nrsm]?|was|wer|quel(?:le)?s?|qui|qu[ée]|cu[áa]les|qui[ée]n(?:es)?|quais|que|quem|"
    r"qual|"
    r"quali|chi|welke|wat|wie|jakie|jacy|kto|które|którzy|как(?:ие|ой|ая)|кто|что",
    unspaced="哪些|什么|什麼|谁|誰|哪几|どんな|どの|どれ|何|誰|어떤|누구",
)

_EXACT: dict[QuestionScope, re.Pattern[str]] = {
    QuestionScope.EMAILS: _any_pattern(
        r"e-?mails?|e-?mail[- ]?adress\w*|(?:e-?)?mail addresses|adresses? (?:e-?mail|mail|électroniques?)|courriels?|"
        r"correos?(?: electrónicos?)?|indirizzi (?:di )?(?:e-?)?mail|endereços (?:de )?e-?mail|adres(?:y|"
        r"ów) (?:e-?)?mail\w*|"
        r"электронн\w+ (?:адрес\w*|почт\w*)|адрес\w* (?:электронн\w+ )?почт\w*",
        unspaced="邮箱|郵箱|电子邮件|電子郵件|メールアドレス|이메일",
    ),
    QuestionScope.LINKS: _any_pattern(
        r"links?|urls?|web ?(?:sites?|addresses|pages)|hyperlinks?|internet addresses|web-?adressen|internetadressen|"
        r"webseiten|liens?|sites? (?:web|internet)|enlaces?|sitios web|páginas web|sites|endereços (?:web|da internet)|"
        r"collegamenti|siti(?: web)?|koppelingen|websites|odnośnik\w*|linki|linków|stron\w* internetow\w*|ссыл\w+|"
        r"сайт\w*",
        unspaced="链接|鏈接|連結|网址|網址|リンク|링크",
    ),
    QuestionScope.DATES: _any_pattern(
        r"dates|(?:every|each) date|timeline|chronology|datumsangaben|daten|termine|jede[sn]? datum|zeitleiste|"
        r"chronologie|"
        r"fechas|cronología|datas|cronologia|date(?= (?:che|menzion|citat|indicat|presenti|e|nel))|(?<=tutte le )date|"
        r"(?<=le )date|(?<=quali )date|data(?= (?:die|genoemd|staan|komen|worden))|(?<=alle )data|(?<=welke )data|"
        r"datums|daty|dat|"
        r"даты|дат|датах",
        unspaced="日期|时间点|年月日|日付|日時|날짜",
    ),
    QuestionScope.PERCENTAGES: _any_pattern(
        r"percentages?|per cents?|prozent(?:zahlen|angaben|sätze|werte)|pourcentages?|porcentajes?|porcentagens|"
        r"percentagens|percentuali|percentages|procenty|procentów|процент(?:ы|ов)",
        unspaced="百分比|パーセント|퍼센트",
    ),
    QuestionScope.MONEY: _any_pattern(
        r"amounts?(?: of money)?|sums(?: of money)?|prices|money|monetary values|(?:figures|numbers|"
        r"values) in (?:euro|dollar|"
        r"pound|us)\w*|fees|costs|beträge|geldbeträge|geldsummen|summen|preise|kosten|gebühren|montants?|sommes|prix|"
        r"coûts|"
        r"frais|importes|montos|sumas|precios|costes|costos|valores|montantes|quantias|preços|custos|importi|somme|"
        r"prezzi|"
        r"costi|bedragen|prijzen|kosten|kwot(?:y|ach)?|ceny|cen|opłaty|kosztów|koszty|сумм\w*|цены|цен|расход\w*",
        unspaced="金额|金額|价格|價格|费用|費用|価格|금액|가격",
    ),
    QuestionScope.NUMBERS: _any_pattern(
        r"numbers(?: with (?:their )?units)?|quantities|measurements|values|numeric\w*|zahlen|zahlenangaben|mengen|"
        r"messwerte|maße|werte|nombres|chiffres|quantités|mesures|números|cifras|cantidades|medidas|quantidades|"
        r"numeri|cifre|"
        r"quantità|misure|getallen|cijfers|hoeveelheden|liczb(?:y)?|wartości|числа|чисел|цифры|значения",
        unspaced="数字|數字|数值|数値|숫자|수치",
    ),
    QuestionScope.TABLES: _any_pattern(
        r"tables|tabellen|tableaux|tablas|tabelas|tabelle|tabele|tabel|таблиц[ыа]?", unspaced="表格|表の一覧|표"
    ),
    QuestionScope.FIGURES: _any_pattern(
        r"figures|images|pictures|diagrams|illustrations|charts|graphs|abbildungen|bilder|grafiken|diagramme|"
        r"schaubilder|"
        r"figuras|imágenes|gráficos|ilustraciones|imagens|figure|immagini|grafici|afbeeldingen|figuren|grafieken|"
        r"rysunki|"
        r"rysunków|ilustracje|wykresy|рисунк\w+|иллюстрац\w+|диаграмм\w*|график\w*|schémas",
        unspaced="图表|圖表|插图|插圖|图片|圖片|図表|図|그림",
    ),
    QuestionScope.HEADINGS: _any_pattern(
        r"chapters|sections|headings|headlines|table of contents|outline|structure|kapitel|abschnitte|überschriften|"
        r"inhaltsverzeichnis|gliederung|chapitres|titres|table des matières|sommaire|capítulos|secciones|títulos|"
        r"índice|"
        r"seções|secções|sumário|capitoli|sezioni|titoli|indice|hoofdstukken|paragrafen|koppen|inhoudsopgave|"
        r"rozdział\w*|"
        r"nagłówki|spis treści|глав[ыа]?|разделы|разделов|заголовк\w+|оглавлени\w+",
        unspaced="章节|章節|目录|目錄|标题|目次|見出し|목차|제목",
    ),
}
_PAGES = _any_pattern(
    r"pages|seiten|páginas|pagine|pagina's|bladzijden|stron|страниц|slides|folien|words|wörter|mots|palabras|"
    r"palavras|parole|"
    r"woorden|słów|слов",
    unspaced="页|頁|ページ|페이지|字",
)
_TEMPORAL = _any_pattern(
    r"days|hours|weeks|months|years|minutes|tage|stunden|wochen|monate|jahre|jours|heures|mois|ans|días|horas"
)
_STILL_ALL = re.compile(
    rf"(?:\W|\b(?:{_DOCUMENT}|in|im|en|em|nel|nella|w|в|d[aou]s?|dans|from|aus|and|und|et|y|e|en|i|и|with|mit|avec|"
    rf"con|its|"
    r"their|pages?|seiten?|page|auf|out|here|hier|there|are|is|be|does|do|have|has|hat|haben|can|you|that|die|which|"
    r"se|que|"
    r"vorkommenden|occurring|units?|einheiten|if any|please|bitte|werden|wird|worden|were|sont|son|están|são|sono|"
    r"vengono|"
    r"все|всех|auf|on|for|me|of|the|kommen|stehen|the|an|any|ik|er|des|tous|les|est|list|money|numbers|all|alle|каждую|"
    r"euros?|dollars?|pounds?|each|every|where|they|stand)\b)*"
)


def _exact_scope(text: str) -> WantedScope | None:
    is_counted = bool(_HOW_MANY.search(text))
    # "How many pages does the section have" is about a place, so nothing may narrow it.
    if is_counted and (found := _PAGES.search(text)) and _is_still_all(text[found.end() :]):
        return WantedScope(QuestionScope.PAGES, is_counted=True)
    asks = _ALL.search(text) or _LISTING.search(text) or is_counted
    for wanted, pattern in _EXACT.items():
        found = pattern.search(text)
        if found and (asks or (_OCCURS.search(text) and _WHICH.search(text)) or _ARE_ANY.search(text)):
            is_narrowed = not _is_still_all(text[found.end() :])
            if is_narrowed and not (_ALL.search(text) or _OCCURS.search(text)):
                continue  # "name the costs of the repair": one place, as a rule
            return WantedScope(wanted, is_narrowed=is_narrowed, is_counted=is_counted)
    return None


def _is_still_all(behind: str) -> bool:
    """Return whether nothing after the wanted kind narrows it."""
    # Where they occur ("mentioned in the text") does not narrow what is wanted.
    return bool(_UNSPACED.search(behind)) or _STILL_ALL.fullmatch(_OCCURS.sub(" ", behind)) is not None


_ARE_ANY = _any_pattern(r"are there any|is there any|gibt es|y a-t-il|hay|existem|há|ci sono|zijn er|czy są|есть ли")

_LISTED = _any_pattern(
    r"people|persons?|names|characters|individuals|companies|organi[sz]ations|firms|institutions|places|locations|"
    r"countries|"
    r"cities|products|risks?|dangers|obligations|duties|responsibilities|requirements|deadlines|terms|definitions|"
    r"conclusions|recommendations|findings|arguments|questions|tasks|action items|to-?dos|decisions|problems|issues|"
    r"limitations|advantages|disadvantages|pros and cons|strengths|weaknesses|topics|themes|sources|references|"
    r"abbreviations|acronyms|studies|authors|claims|changes|exceptions|rights|conditions|warnings|parties|examples|"
    r"methods|"
    r"assumptions|contradictions?|inconsistenc(?:y|ies)|errors|mistakes|penalties|experiments|events|"
    r"personen|leute|namen|figuren|firmen|unternehmen|organisationen|orte|länder|städte|produkte|risiken|gefahren|"
    r"pflichten|"
    r"anforderungen|fristen|begriffe|definitionen|empfehlungen|argumente|fragen|aufgaben|entscheidungen|beschlüsse|"
    r"probleme|"
    r"nachteile|vorteile|schwächen|stärken|themen|quellen|abkürzungen|studien|autoren|änderungen|ausnahmen|rechte|"
    r"bedingungen|warnungen|parteien|beispiele|methoden|widersprüche?|fehler|ereignisse|"
    r"personnes|noms|personnages|entreprises|sociétés|organisations|lieux|pays|villes|produits|risques|dangers|"
    r"obligations|"
    r"devoirs|exigences|délais|échéances|termes|définitions|recommandations|tâches|décisions|problèmes|limites|"
    r"avantages|"
    r"inconvénients|thèmes|sujets|sources|références|abréviations|études|auteurs|exceptions|droits|conditions|parties|"
    r"exemples|contradictions?|erreurs|"
    r"personas|nombres|personajes|empresas|organizaciones|lugares|países|ciudades|productos|riesgos|obligaciones|"
    r"deberes|"
    r"requisitos|plazos|términos|definiciones|recomendaciones|tareas|decisiones|problemas|limitaciones|ventajas|"
    r"desventajas|temas|fuentes|referencias|estudios|autores|cambios|excepciones|derechos|condiciones|partes|"
    r"contradicciones|"
    r"pessoas|nomes|personagens|organizações|cidades|produtos|riscos|obrigações|deveres|prazos|termos|definições|"
    r"recomendações|tarefas|decisões|limitações|vantagens|desvantagens|fontes|referências|estudos|mudanças|exceções|"
    r"direitos|condições|contradições|"
    r"persone|nomi|personaggi|aziende|società|imprese|organizzazioni|luoghi|paesi|città|prodotti|rischi|obblighi|"
    r"doveri|"
    r"requisiti|scadenze|termini|definizioni|raccomandazioni|compiti|decisioni|problemi|limiti|vantaggi|svantaggi|temi|"
    r"fonti|riferimenti|studi|autori|eccezioni|diritti|condizioni|parti|contraddizioni|"
    r"namen|mensen|bedrijven|organisaties|plaatsen|landen|steden|producten|risico's|verplichtingen|eisen|deadlines|"
    r"termijnen|begrippen|definities|aanbevelingen|taken|besluiten|beslissingen|problemen|beperkingen|voordelen|"
    r"nadelen|"
    r"thema's|onderwerpen|bronnen|verwijzingen|studies|auteurs|uitzonderingen|rechten|voorwaarden|partijen|"
    r"tegenstrijdigheden|"
    r"osob[yę]|osób|ludzie|nazwisk\w*|postaci\w?|firm[y]?|organizacj\w+|miejsc\w*|kraj\w*|miast\w*|produkt\w*|"
    r"ryzyk\w*|zagroże\w+|"
    r"obowiązk\w+|wymag\w+|termin[yów]*|definicj\w+|zalece\w+|zadani\w+|zadań|decyzj\w+|problem[yów]+|ograniczen\w+|"
    r"zalet\w*|"
    r"wad[yę]?|temat\w*|źród\w+|bada\w+|autor\w+|wyjątk\w+|praw\w*|warunk\w+|stron\w* umowy|sprzeczności|"
    r"люд[иея]\w*|лиц[ао]?|имена|персонаж\w+|геро\w+|компани\w+|организаци\w+|мест[ао]?|стран[ы]?|город\w+|"
    r"продукт\w+|риск\w*|"
    r"обязанност\w+|обязательств\w+|требовани\w+|срок\w*|термин\w*|определени\w+|рекомендаци\w+|задач\w*|решени\w+|"
    r"проблем\w*|"
    r"ограничени\w+|преимуществ\w*|недостатк\w+|тем[ыа]?|источник\w*|исследовани\w+|автор\w*|исключени\w+|прав[ао]?|"
    r"услови\w+|стороны|противоречи\w+",
    unspaced="人物|哪些人|谁|人名|公司|企业|机构|组织|地点|国家|城市|产品|风险|義務|义务|要求|期限|术语|定义|建议|任务|决定|问题|优点|缺点|主题|来源|"
    "作者|条件|矛盾|人が|会社|企業|組織|場所|国|都市|製品|リスク|要件|用語|定義|提言|課題|決定|問題|利点|欠点|テーマ|出典|著者|条件|"
    "사람|인물|회사|기업|위험|의무|요구|기한|용어|정의|권고|과제|결정|문제|주제|출처",
)
_WHAT_ARE = _any_pattern(
    r"what are (?:the |all )?|who are (?:the |all )?|was sind die|wer sind die|quel(?:le)?s sont les|qui sont les|"
    r"cu[áa]les son (?:los|las)|qui[ée]nes son (?:los|las)|quais são (?:os|as)|quem são (?:os|as)|quali sono (?:i|"
    r"gli|le)|"
    r"chi sono (?:i|gli|le)|wat zijn de|wie zijn de|jakie są|kim są|каковы|кто такие"
)
_WHO_IS_NAMED = _any_pattern(
    r"who (?:is|are|was|were) (?:all )?(?:mentioned|named|listed|cited|quoted|involved)|who (?:appears|occurs)|"
    r"wer (?:wird|ist) .{0,30}(?:erwähnt|genannt)|wer kommt .{0,30}vor|qui est (?:mentionné|cité|nommé)|"
    r"qui[ée]n(?:es)? (?:aparece|sale|se menciona)\w*|quem (?:é mencionado|aparece)|chi (?:viene|è) (?:menzionat|"
    r"nominat)\w*|"
    r"wie (?:wordt|worden) .{0,30}genoemd|kto (?:jest wymieniony|występuje|się pojawia)|кто (?:упоминается|упомянут|"
    r"фигурирует)"
)
_WHOLE = _any_pattern(
    r"(?:whole|entire|complete|full) (?:document|text|book|paper|report|contract|file|thing)|throughout|"
    r"go through (?:it|all|the)|"
    r"from (?:beginning|start) to end|anywhere|everywhere|ganze[nmsr]? (?:dokument|text|buch|bericht|vertrag)|"
    r"durchgehend|"
    r"irgendwo|überall|tout le (?:document|texte|livre|rapport)|quelque part|partout|"
    r"todo el (?:documento|texto|libro|informe)|en alguna parte|todo o (?:documento|texto|livro)|em algum lugar|"
    r"tutto il (?:documento|testo|libro)|da qualche parte|hele (?:document|tekst|boek)|ergens|"
    r"cał(?:y|ego|ym) (?:dokument\w*|tekst\w*)|gdziekolwiek|весь (?:документ|текст)|вс(?:ю|ей) (?:книг\w+)|"
    r"где-нибудь|где-либо",
    unspaced="全文|通篇|整篇|整个文|整份|全体を|文書全体|전체",
)


def _list_scope(text: str) -> WantedScope | None:
    is_counted = bool(_HOW_MANY.search(text))
    names = _LISTED.search(text) is not None
    occurs, every = _OCCURS.search(text) is not None, _ALL.search(text) is not None
    wants = (
        (every and (_LISTING.search(text) or (occurs and _WHICH.search(text))))
        or (names and _LISTING.search(text))
        or (names and occurs and (is_counted or _WHICH.search(text) or _ARE_ANY.search(text)))
        or (names and _WHAT_ARE.search(text))
        or _WHO_IS_NAMED.search(text)
        or _WHOLE.search(text)
    )
    # "How many days" asks for one number, which stands in one place.
    if not wants or (is_counted and _TEMPORAL.search(text)):
        return None
    return WantedScope(QuestionScope.LIST, is_counted=is_counted)


_QUOTED = re.compile(r'(?:"|(?<!\w)\')([^"]{1,60}?)(?:"|\'(?!\w))')
_WHERE_OR_HOW_OFTEN = _any_pattern(
    r"where|how many|how often|mentions?|occurrences?|instances|places|wo|wie oft|wie viele|stellen|erwähnungen|où|"
    r"combien|"
    r"occurrences|mentions|passages|d[oó]nde|cu[áa]nt[ao]s|menciones|lugares|onde|quant[ao]s|menções|ocorrências|dove|"
    r"quante|menzioni|occorrenze|waar|hoe vaak|hoeveel|vermeldingen|gdzie|ile|wystąpienia|miejsca|где|сколько|"
    r"упоминания|места",
    unspaced="哪里|哪裡|何处|在哪|多少|几次|幾次|几处|どこ|何回|いくつ|何箇所|어디|몇",
)
_MENTION = r"(?:mentioned|named|appear(?:s|ing)?|occur(?:s|ring)?|come[s]? up|used|cited|referred to|found|discussed)"
_WORD_OF = (
    r"(?:(?:the |a |an |das |der |die |le |la |el |o |a |il |lo |la |het |de )?(?:word|term|phrase|name|wort|begriff|"
    r"ausdruck|name|"
    r"mot|terme|nom|palabra|término|nombre|palavra|termo|nome|parola|termine|woord|term|naam|słowo|pojęcie|слово|"
    r"термин) )?"
)
_MENTIONED = tuple(
    re.compile(rf"^{pattern}$")
    for pattern in (
        rf"(?:how often|how many times|where) (?:is|are|was|were|does|do|"
        rf"did) {_WORD_OF}(?P<words>.+?) (?:get )?{_MENTION}(?: .*)?",
        rf"where (?:does|do|in) (?:{_DOCUMENT} ){{1,4}}(?:mention|name|speak (?:of|about)|talk about|discuss|"
        rf"refer to) {_WORD_OF}(?P<words>.+)",
        rf"(?:does|do|is) (?:{_DOCUMENT} ){{1,4}}(?:anywhere )?(?:mention|name) {_WORD_OF}(?P<words>.+?)(?: anywhere)?",
        r"(?:is|are) (?P<words>.+?) mentioned (?:anywhere|somewhere)(?: .*)?",
        rf"(?:list |find |show (?:me )?|give me |count )?(?:all|every|each)(?: the)? (?:mentions?|occurrences?|"
        rf"instances?|places?) "
        rf"(?:of|where|with) {_WORD_OF}(?P<words>.+?)(?: is| are)?(?: {_MENTION})?",
        rf"(?:wie oft|wo) (?:wird|werden|kommt|kommen|taucht|tauchen|"
        rf"steht) {_WORD_OF}(?P<words>.+?) (?:überall )?(?:erwähnt|genannt|vor|auf|"
        r"verwendet)(?: .*)?",
        rf"(?:liste |finde |zeige? (?:mir )?)?alle (?:erwähnungen|stellen|vorkommen) (?:von|zu|mit|"
        rf"über) {_WORD_OF}(?P<words>.+)",
        rf"(?:combien de fois|où) (?:est|sont|apparaît|apparaissent|parle-t-on de|"
        rf"mentionne-t-on) {_WORD_OF}(?P<words>.+?)"
        r"(?: mentionnée?s?| citée?s?)?",
        rf"(?:cu[áa]ntas veces|d[óo]nde) (?:se menciona|aparece|se habla de|sale)n? {_WORD_OF}(?P<words>.+)",
        rf"(?:quantas vezes|onde) (?:é mencionad[oa]|aparece|se fala de|é citad[oa]) {_WORD_OF}(?P<words>.+)",
        rf"(?:quante volte|dove) (?:compare|viene (?:menzionat|nominat|citat)[oa]|si parla di) {_WORD_OF}(?P<words>.+)",
        rf"(?:hoe vaak|waar) (?:wordt|worden|komt|komen) {_WORD_OF}(?P<words>.+?) (?:genoemd|vermeld|voor)(?: .*)?",
        rf"(?:ile razy|gdzie) (?:pojawia się|występuje|jest wspomnian[ey]|jest mowa o) {_WORD_OF}(?P<words>.+)",
        rf"(?:сколько раз|где) (?:упоминается|встречается|упоминаются|говорится о) {_WORD_OF}(?P<words>.+)",
    )
)  # fmt: skip


def _mentioned_words(text: str) -> str:
    """Return the words whose mentions are wanted, "" if none."""
    quoted = _QUOTED.search(text)
    # A quotation alone may be a sentence to be explained.
    if quoted and quoted[1].strip() and _WHERE_OR_HOW_OFTEN.search(f"{text[: quoted.start()]} {text[quoted.end() :]}"):
        return quoted[1].strip()
    for pattern in _MENTIONED:
        if found := pattern.match(text):
            words = re.sub(
                r"^(?:the|a|an|das|der|die|den|le|la|les|el|los|las|o|os|il|lo|gli|het|de|l') ?", "", found["words"]
            )
            words = words.strip(" \"'")
            # "Where are people mentioned" is for a reader, not for a search of the word.
            return words if 1 < len(words) <= LONGEST_TERM and not _LISTED.fullmatch(words) else ""
    return ""
