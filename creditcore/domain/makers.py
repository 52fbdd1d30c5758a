"""Make the values of which every call needs several, in a fifth of the time.

Calling a class packs keywords into a dictionary and unpacks it again, and what ``dataclass``
generates for a frozen one asks ``object.__setattr__`` for each field by its name. That was a
tenth of a call. What is made here is the very same value: checked, immutable, equal to others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, fields
from typing import Any, ParamSpec, TypeVar, cast

_Fields = ParamSpec("_Fields")
_Value = TypeVar("_Value")


def maker_of(cls: Callable[_Fields, _Value]) -> Callable[_Fields, _Value]:
    """Return a function that does what calling a class does.

    Args:
        cls: A ``NamedTuple``, or a ``dataclass(frozen=True, slots=True)`` whose fields are all
            given, or have plain defaults, and which checks them in ``__post_init__`` if at all.

    Raises:
        TypeError: The class makes its values in a way of its own, which would be left out.
    """
    made = cast("Any", cls)
    code = getattr(made.__new__ if issubclass(made, tuple) else made.__init__, "__code__", None)
    # What the standard library writes for a class is compiled from a string, not from a file.
    if code is None or code.co_filename != "<string>":
        raise TypeError(f"{made.__name__} cannot be made field by field")
    return cast("Callable[_Fields, _Value]", (_named if issubclass(made, tuple) else _frozen)(made))


def _named(cls: Any) -> Callable[..., Any]:
    text = f"def make({_signature(cls._fields, cls._field_defaults)}):\n"
    text += f"    return new(cls, ({''.join(f'{name}, ' for name in cls._fields)}))\n"
    return _compiled(text, cls, cls._field_defaults, new=tuple.__new__)


def _frozen(cls: Any) -> Callable[..., Any]:
    names = [field.name for field in fields(cls)]
    defaults = {field.name: field.default for field in fields(cls) if field.default is not MISSING}
    if cls.__slots__ != tuple(names) or not all(
        field.init and field.default_factory is MISSING for field in fields(cls)
    ):
        raise TypeError(f"{cls.__name__} cannot be made field by field")
    only_by_name = "*, " if all(field.kw_only for field in fields(cls)) else ""
    text = f"def make({only_by_name}{_signature(names, defaults)}):\n    value = open_twin()\n"
    text += "".join(f"    value.{name} = {name}\n" for name in names)
    text += "    value.__class__ = cls\n"
    text += "    value.__post_init__()\n" if hasattr(cls, "__post_init__") else ""
    text += "    return value\n"
    # Laid out alike and not frozen yet, so that a field is filled as quickly as can be. Only what
    # is whole becomes a value that others see.
    open_twin = type(cls.__name__, (), {"__slots__": cls.__slots__})
    return _compiled(text, cls, defaults, open_twin=open_twin)


def _signature(names: Any, defaults: dict[str, Any]) -> str:
    return ", ".join(f"{name}=default_{name}" if name in defaults else name for name in names)


def _compiled(text: str, cls: Any, defaults: dict[str, Any], **known: Any) -> Callable[..., Any]:
    names = {**known, "cls": cls, **{f"default_{name}": value for name, value in defaults.items()}}
    exec(text, names)  # noqa: S102 - as ``dataclass`` does: all that varies in it are names of fields
    return cast("Callable[..., Any]", names["make"])
