"""Units, scales and number words of the more common languages, as tables: what "km", "Mio." and "trois" stand for."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple


class Unit(NamedTuple):
    """What a unit measures, and how many of that dimension's base unit it is."""

    dimension: str
    factor: Decimal = Decimal(1)


def _table(dimension: str, rows: dict[str, str]) -> dict[str, Unit]:
    return {word: Unit(dimension, Decimal(factor)) for factor, words in rows.items() for word in words.split()}


PERCENT = "%"
TEMPERATURE = "temperature"
UNITS: dict[str, Unit] = {
    **_table(
        PERCENT,
        {"1": "% percent prozent pourcent procent procentų procento процент процента процентов percents proc pct"},
    ),
    **_table("‰", {"1": "‰ promille"}),
    **_table("percentage points", {"1": "pp prozentpunkte prozentpunkten prozentpunkt"}),
    **_table(
        "length",
        {
            "0.000001": "µm μm",
            "0.001": "mm millimetre millimetres millimeter millimeters millimètre millimètres milímetros millimetri мм",
            "0.01": "cm centimetre centimetres centimeter centimeters centimètre centimètres centímetros centimetri см",
            "1": "m metre metres meter meters metern mètre mètres metro metros metri м метр метра метров メートル 米",
            "1000": "km kilometre kilometres kilometer kilometers kilometern kilomètre kilomètres kilómetro "
            "kilómetros chilometro chilometri quilômetros quilómetros км километр километра километров 公里",
            "0.0254": "inch inches zoll",
            "0.3048": "ft foot feet",
            "1609.344": "mi mile miles meile meilen",
        },
    ),
    **_table(
        "mass",
        {
            "0.000001": "mg milligram milligrams milligramm мг",
            "0.001": "g gram grams gramm grammes gramos grammi г грамм граммов",
            "1": "kg kilogram kilograms kilogramm kilogrammes kilo kilos кг",
            "1000": "t tonne tonnes tonnen ton tons tonelada toneladas tonnellate т тонн тонны",
            "0.45359237": "lb lbs",
        },
    ),
    **_table(
        "time",
        {
            "0.001": "ms millisecond milliseconds millisekunden",
            "1": "s sec secs second seconds sekunde sekunden seconde secondes segundo segundos secondi секунд 秒",
            "60": "min mins minute minutes minuten minuto minutos minuti минут минуты 分钟",
            "3600": "h hr hrs hour hours stunde stunden heure heures hora horas ora ore uur uren час часа часов",
            "86400": "d day days tag tage tagen jour jours día días giorno giorni dia dias dag dagen день дня дней "
            "天 日間",
            "604800": "week weeks woche wochen semaine semaines semana semanas settimana settimane weken неделя "
            "недели недель",
        },
    ),
    **_table(
        "months",
        {
            "1": "month months monat monate monaten mois mes meses mese mesi mês maand maanden месяц месяца месяцев",
            "12": "year years yr yrs jahr jahre jahren ans année années año años anno anni ano anos jaar год года лет",
        },
    ),
    **_table("area", {"1": "m² m2 sqm qm", "1000000": "km² km2", "10000": "ha hectare hectares hektar hectáreas"}),
    **_table("volume", {"0.001": "ml", "1": "l litre litres liter liters litros litri", "1000": "m³ m3"}),
    **_table("speed", {"1": "km/h kmh kph", "1.609344": "mph"}),
    **_table(TEMPERATURE, {"1": "°c ℃ celsius"}),
    **_table("fahrenheit", {"1": "°f ℉ fahrenheit"}),
    **_table("data", {"1": "byte bytes", "1000": "kb", "1000000": "mb", "1000000000": "gb", "1000000000000": "tb"}),
    **_table("power", {"1": "w watt watts", "1000": "kw", "1000000": "mw", "1000000000": "gw"}),
    **_table("energy", {"1": "wh", "1000": "kwh", "1000000": "mwh", "1000000000": "gwh", "1000000000000": "twh"}),
    **_table("frequency", {"1": "hz hertz", "1000": "khz", "1000000": "mhz", "1000000000": "ghz"}),
    **_table("euro", {"1": "€ eur euro euros евро", "0.01": "cent cents"}),
    **_table("dollar", {"1": "$ us$ usd dollar dollars dólares dollari доллар долларов 美元"}),
    **_table("pound", {"1": "£ gbp pound pounds pfund"}),
    **_table("yen", {"1": "¥ jpy yen 円 日元"}),
    **_table("yuan", {"1": "cny rmb yuan 元 人民币"}),
    **_table("franc", {"1": "chf franken francs franc"}),
    **_table("rupee", {"1": "₹ inr rupee rupees"}),
    **_table("krona", {"1": "sek kronor"}),
    **_table("rouble", {"1": "₽ rub рублей рубля рубль"}),
}
"""By the casefolded word. Only what a number is often followed by: anything else is taken for what is counted."""

SCALES: dict[str, Decimal] = {
    word: Decimal(10) ** power
    for power, words in {
        3: "thousand thousands tausend mille mil mila mille tsd duizend тыс тысяч тысячи",
        4: "万 萬 만",
        5: "lakh lakhs",
        6: "million millions millionen mio mln millones millón milioni milione milhões milhão miljoen miljoner "
        "млн миллион миллиона миллионов",
        7: "crore crores",
        8: "億 亿 억",
        9: "billion billions bn mrd milliarde milliarden milliard milliards miliardi miliardo bilhões bilhão miljard "
        "mld млрд миллиард миллиарда миллиардов",
        12: "trillion trillions billionen trn 兆",
    }.items()
    for word in words.split()
}
EAST_ASIAN_SCALES = {"千": Decimal(1000), "百": Decimal(100), "천": Decimal(1000)}
"""Before what is counted, where they are part of numbers in letters elsewhere."""
ATTACHED_SCALES = {"k": Decimal(1000), "K": Decimal(1000), "M": Decimal(10) ** 6, "B": Decimal(10) ** 9}
"""Directly behind the number only: "10k", "110M"."""
MONEY_SCALES = {"m": Decimal(10) ** 6, "b": Decimal(10) ** 9}
"""Directly behind an amount of money only: "$3.7m"."""
MONEY = frozenset({"euro", "dollar", "pound", "yen", "yuan", "franc", "rupee", "krona", "rouble"})


_SMALL = {
    2: "two zwei deux dos dois duas twee два две två",
    3: "three drei trois tres tre três drie три",
    4: "four vier quatre cuatro quattro quatro четыре",
    5: "five fünf cinq cinco cinque vijf пять",
    6: "six sechs seis zes шесть",
    7: "seven sieben sept siete sette sete zeven семь sju",
    8: "eight acht huit ocho otto oito восемь åtta",
    9: "nine neun neuf nueve nove negen девять nio",
    10: "ten zehn dix diez dieci dez tien десять tio",
    11: "eleven elf onze undici одиннадцать elva",
    12: "twelve zwölf douze doce dodici doze twaalf двенадцать tolv",
    13: "thirteen dreizehn treize trece tredici treze dertien",
    14: "fourteen vierzehn quatorze catorce quattordici catorze veertien",
    15: "fifteen fünfzehn quinze quince quindici vijftien",
    16: "sixteen sechzehn dieciséis sedici dezesseis zestien",
    17: "seventeen siebzehn diecisiete diciassette zeventien",
    18: "eighteen achtzehn dieciocho diciotto dezoito achttien",
    19: "nineteen neunzehn diecinueve diciannove negentien",
    20: "twenty zwanzig vingt veinte venti vinte twintig двадцать",
    30: "thirty dreißig dreissig trente treinta trenta trinta dertig тридцать",
    40: "forty vierzig quarante cuarenta quaranta quarenta veertig сорок",
    50: "fifty fünfzig cinquante cincuenta cinquanta cinquenta vijftig пятьдесят",
    60: "sixty sechzig soixante sesenta sessanta sessenta zestig шестьдесят",
    70: "seventy siebzig setenta settanta zeventig семьдесят",
    80: "eighty achtzig ochenta ottanta oitenta tachtig восемьдесят",
    90: "ninety neunzig noventa novanta negentig девяносто",
    100: "hundred hundert cien cento honderd сто",
}
_ONE = "one ein eine einen einem einer un une una uno um uma een один одна"
_ORDINAL = {
    1: "first erste ersten erster premier première primero primera primo prima primeiro primeira eerste",
    2: "second zweite zweiten zweiter deuxième segundo segunda secondo seconda tweede",
    3: "third dritte dritten dritter troisième tercero tercera terzo terza terceiro terceira derde",
    4: "fourth vierte vierten quatrième cuarto cuarta quarto quarta vierde",
    5: "fifth fünfte fünften cinquième quinto quinta vijfde",
    6: "sixth sechste sechsten sixième sexto sesto zesde",
    7: "seventh siebte siebten septième séptimo settimo zevende",
    8: "eighth achte achten huitième octavo ottavo achtste",
    9: "ninth neunte neunten neuvième noveno nono negende",
    10: "tenth zehnte zehnten dixième décimo decimo tiende",
}


def _german() -> dict[str, int]:
    """ "einundzwanzig" to "neunundneunzig"."""
    ones = ("ein", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun")
    tens = ("zwanzig", "dreißig", "vierzig", "fünfzig", "sechzig", "siebzig", "achtzig", "neunzig")
    return {
        f"{one}und{ten}": 10 * (place + 2) + number + 1
        for place, ten in enumerate(tens)
        for number, one in enumerate(ones)
    }


NUMBER_WORDS: dict[str, int] = _german() | {word: value for value, row in _SMALL.items() for word in row.split()}
ONE_WORDS = frozenset(_ONE.split())
ORDINAL_WORDS: dict[str, int] = {word: value for value, row in _ORDINAL.items() for word in row.split()}
ARTICLES = frozenset({"a", "an"})
"""They stand for one before a unit: "a year"."""
