"""Values answer as dataclasses do: for dataclasses.fields() and asdict(), pandas.DataFrame(values), and pytest, which
tells field by field where two differ. They are made by kdev alone, so dataclasses.replace() does not work."""

from __future__ import annotations

import dataclasses
from typing import Any


class DataclassFields:
    """A class's __dataclass_fields__, made when first asked for: there are many classes, and few are asked."""

    def __init__(self, names: list[str]) -> None:
        self._names = names
        self._fields: dict[str, dataclasses.Field[Any]] | None = None

    def __get__(self, value: object, owner: type) -> dict[str, dataclasses.Field[Any]]:
        if self._fields is None:
            shown = [name for name in self._names if hasattr(owner, name)]
            made = dataclasses.make_dataclass(owner.__name__, shown, init=False, repr=False, eq=False)
            self._fields = vars(made)["__dataclass_fields__"]
        return self._fields
