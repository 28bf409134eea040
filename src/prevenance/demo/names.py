"""What the demo company's customers are called: plainly, or so that a careless reader of names would trip."""

import tomllib
from pathlib import Path

import numpy as np

from prevenance.demo.world import random_stream

_LISTS: dict[str, list[str]] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
FIRST, SECOND, FORMS = (tuple(_LISTS[name]) for name in ("first", "second", "forms"))
# a name that no column of a page is wide enough for
HOSTILE = (*_LISTS["hostile"], "A" * 300)
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
