"""What a condition may see before the saga has run."""

from __future__ import annotations

from typing import Any


class Unforeseen(BaseException):
    """A condition looked at what a step returned; no ``except Exception`` of its own may hide that."""


class _WhatAStepReturned:
    """Stands for it: that it is there can be foreseen, what it is cannot.

    ``is None`` and ``isinstance`` ask nobody: a step's result is foreseen as something that is not nothing.
    """

    def _refuse(self, *args: object) -> Any:
        raise Unforeseen("it reads a step's result")

    __getitem__ = __getattr__ = __bool__ = __len__ = __iter__ = __contains__ = __call__ = _refuse
    __eq__ = __ne__ = __lt__ = __gt__ = __le__ = __ge__ = __hash__ = _refuse
    __str__ = __format__ = __int__ = __float__ = __index__ = __complex__ = __bytes__ = _refuse
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _refuse
    __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __pow__ = __rpow__ = __divmod__ = _refuse
    __and__ = __rand__ = __or__ = __ror__ = __xor__ = __rxor__ = __neg__ = __pos__ = __abs__ = _refuse
    __round__ = __reversed__ = _refuse


UNFORESEEN = _WhatAStepReturned()
