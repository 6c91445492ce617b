"""Arithmetic over named numbers: parsed once, and evaluated for each group. Pure."""

import ast
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from operator import add, mul, sub, truediv
from typing import TypeAlias

Number: TypeAlias = int | float | Decimal
Step: TypeAlias = str | float | Callable[[float, float], float]
"""One step of a stack machine: a name or number is pushed; an operator pops the top two and pushes its result."""

_OPERATORS: Mapping[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: add,
    ast.Sub: sub,
    ast.Mult: mul,
    ast.Div: truediv,
}


@lru_cache(maxsize=1_000)
def program(expression: str) -> tuple[Step, ...]:
    """An expression that `metric_definition` has accepted, in reverse Polish notation."""
    return tuple(_steps(ast.parse(expression, mode="eval").body))


def evaluate(steps: tuple[Step, ...], named: Mapping[str, Number | None]) -> float | None:
    """The value; null when a name has no value, and for a division by zero."""
    if None in named.values():
        return None
    numbers = {name: float(value) for name, value in named.items() if value is not None}
    stack: list[float] = []
    for step in steps:
        if isinstance(step, str):
            stack.append(numbers[step])
        elif isinstance(step, float):
            stack.append(step)
        else:
            second = stack.pop()
            try:
                stack[-1] = step(stack[-1], second)
            except ZeroDivisionError:
                return None
    return stack[-1]


def _steps(node: ast.expr) -> Iterator[Step]:
    match node:
        case ast.Name(id=name):
            yield name
        case ast.Constant(value=int() | float() as number):
            yield float(number)
        case ast.UnaryOp(operand=operand):
            yield -1.0
            yield from _steps(operand)
            yield mul
        case ast.BinOp(left=left, op=op, right=right):
            yield from _steps(left)
            yield from _steps(right)
            yield _OPERATORS[type(op)]
        case _:
            raise ValueError("no arithmetic")
