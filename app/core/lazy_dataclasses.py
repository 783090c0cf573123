"""Dataclasses whose methods are compiled when they are first needed.

The standard decorator compiles five or six methods a class as soon as its module is imported, half a millisecond each
time: nearly half of what the imports of a start cost, most of it for classes that it never makes an object of.
"""

from __future__ import annotations

import dataclasses
from dataclasses import asdict, astuple, field, fields, replace
from threading import RLock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(cls=None, /, **options):
        """Make a dataclass as `dataclasses.dataclass` does, at the first object of it or question for its fields."""
        if cls is None:
            return lambda decorated: dataclass(decorated, **options)
        if options.get("slots") or "__init__" in vars(cls):
            return dataclasses.dataclass(cls, **options)
        cls.__dataclass_fields__ = placeholder = _FieldsPlaceholder(cls, options)
        cls.__init__ = placeholder.first_initializer()
        return cls

    class _FieldsPlaceholder:
        """Stands where the fields of a class will be, and makes it a dataclass when somebody asks for them."""

        _lock = RLock()

        def __init__(self, cls, options):
            self._cls, self._options, self._is_complete = cls, options, False

        def __get__(self, _instance, _owner):
            self.complete_class()
            return self._cls.__dataclass_fields__

        def first_initializer(self):
            def __init__(instance, *args, **values):  # noqa: N807 - until there is the class's own
                self.complete_class()
                self._cls.__init__(instance, *args, **values)

            return __init__

        def complete_class(self):
            with self._lock:
                if not self._is_complete:
                    dataclasses.dataclass(self._cls, **self._options, init=False)
                    # In one step, for another thread may make an object meanwhile.
                    self._cls.__init__ = self._compile_initializer()
                    self._is_complete = True

        def _compile_initializer(self):
            """Compile it for a stand-in with the same fields: the decorator replaces none that is there."""
            copied = ("__dataclass_fields__", "__dataclass_params__", "__post_init__")
            parent = type("", (), {name: getattr(self._cls, name) for name in copied if hasattr(self._cls, name)})
            stand_in = type(self._cls.__name__, (parent,), {"__module__": self._cls.__module__})
            is_frozen = self._options.get("frozen", False)
            return dataclasses.dataclass(stand_in, frozen=is_frozen, repr=False, eq=False).__init__


__all__ = ["asdict", "astuple", "dataclass", "field", "fields", "replace"]
