"""The file of an import: read, and looked at for what does not fit together."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

import msgspec

from kiosk.issuer.errors import RegisterFileError
from kiosk.issuer.register.records import Population


def read_population(path: Path) -> Population:
    """An import file (JSON, see Population). Raises RegisterFileError, which never quotes a value of the file."""
    try:
        population = msgspec.json.decode(path.read_bytes(), type=Population)
    except OSError as error:
        raise RegisterFileError(file=path.name, line=0, reason=f"unreadable: {type(error).__name__}") from error
    except msgspec.ValidationError as error:
        where = str(error).partition(" - at ")[2] or "the top level"
        raise RegisterFileError(file=path.name, line=0, reason=f"wrong or missing field at {where}") from None
    except msgspec.DecodeError:
        raise RegisterFileError(file=path.name, line=0, reason="not JSON") from None
    wrong = inconsistencies(population)
    if wrong:
        raise RegisterFileError(file=path.name, line=0, reason=wrong[0])
    return population


def inconsistencies(population: Population) -> list[str]:
    """What does not fit together in an import, by internal ids only; empty when all is well."""
    houses = {h.household: h for h in population.households}
    places: dict[str, list[int]] = defaultdict(list)
    for person in population.residents:
        places[person.household].append(person.place)
    ids = [r.resident for r in population.residents]
    return [
        *(f"household {h} is given twice" for h in _doubles([h.household for h in population.households])),
        *(f"resident {r} is given twice" for r in _doubles(ids)),
        *(f"household {h} of a resident is missing" for h in places if h not in houses),
        *(f"household {h} has two members in one place" for h, p in places.items() if _doubles([str(n) for n in p])),
    ]


def _doubles(names: Sequence[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]
