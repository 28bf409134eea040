"""Names of months and of days in French, German and Spanish, and dates as people write them there, as the engine reads them: it knows the English ones."""

from prevenance.sources.files import sql_text

MONTHS = {
    "Jan": "january|januar|janvier|jänner|janv|enero|ene|jan",
    "Feb": "february|februar|février|fevrier|febrero|févr|fevr|fév|feb",
    "Mar": "march|märz|maerz|marzo|mars|mrz|mär|mar",
    "Apr": "april|avril|abril|avr|abr|apr",
    "May": "mayo|mai|may",
    "Jun": "june|juni|juin|junio|jun",
    "Jul": "july|juli|juillet|julio|juil|jul",
    "Aug": "august|août|aout|agosto|aug|ago",
    "Sep": "september|septembre|septiembre|sept|sep",
    "Oct": "october|oktober|octobre|octubre|okt|oct",
    "Nov": "november|novembre|noviembre|nov",
    "Dec": "december|dezember|décembre|decembre|diciembre|dez|déc|dic|dec",
}
"""How the engine calls a month -> what people call it; a point after it belongs to it."""

DAYS = (
    "lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|lun|mar|mer|jeu|ven|sam|dim|montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonnabend|sonntag"
    "|mo|di|mi|do|fr|sa|so|lunes|martes|miércoles|jueves|viernes|sábado|domingo"
)


def plain_months_sql(text: str) -> str:
    """Return SQL for a text with its months called Jan to Dec, without a French, German or Spanish day of the week, and with 1 for 1er."""
    changes = {rf"^(?:{DAYS})\.?,?\s+(\d)": r"\1", r"^(\d+)(?:er|º)\b": r"\1"}
    changes |= {rf"\b(?:{words})\b\.?": name for name, words in MONTHS.items()}
    said = f"nfc_normalize(trim({text}))"
    for found, plain in changes.items():
        said = f"regexp_replace({said}, {sql_text(found)}, {sql_text(plain)}, 'i')"
    return said


def with_short_months(written: str) -> str:
    """Return a way of writing a time with short names of months, which all names become."""
    return written.replace("%B", "%b")
