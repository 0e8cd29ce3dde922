"""Eight numbers at a time in code that Numba compiles: a vector type, its arithmetic, powers of two and tanh.

Numba's own loops over short rows are compiled one number at a time, as it cannot tell that its arrays do not overlap;
what is written with these vectors is not left to chance. A processor whose vectors are shorter takes them in parts.
(Numba keeps what it compiled in `__pycache__`, and does not notice a change in this file: after one, delete that.)
"""

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.core.datamodel import PrimitiveModel, register_default
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin

LANES = 8
F = np.float32
_FLOAT = ir.FloatType()
_FLOATS = ir.VectorType(_FLOAT, LANES)
_INTEGERS = ir.VectorType(ir.IntType(32), LANES)
EXPONENT_BIAS, _MANTISSA_BITS = 127, 23
_MANTISSA, _ONE = 0x7FFFFF, EXPONENT_BIAS << _MANTISSA_BITS
# What is added to a number to round it: no float32 so large has a fraction.
ROUNDER = 1.5 * 2**_MANTISSA_BITS + EXPONENT_BIAS
# tanh x is made of e²ˣ, which is 2 to the power of x times this.
TANH_SCALE = 2 / math.log(2.0)


class VectorType(types.Type):
    """The type of LANES float32 numbers in a register."""

    def __init__(self) -> None:
        super().__init__(name="Vector")


VECTOR = VectorType()


@register_default(VectorType)
class _VectorModel(PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _FLOATS)


def _arithmetic(operation: Callable[[Any, Any], Any], instruction: str) -> None:
    """Let `operation` work on two vectors."""

    class _Typing(AbstractTemplate):
        def generic(self, args: Sequence[Any], kws: Any) -> Any:
            return signature(VECTOR, VECTOR, VECTOR) if tuple(args) == (VECTOR, VECTOR) and not kws else None

    infer_global(operation)(_Typing)

    def lower(_context: Any, builder: Any, _signature: Any, args: Sequence[Any]) -> Any:
        return getattr(builder, instruction)(*args)

    lower_builtin(operation, VECTOR, VECTOR)(lower)


_arithmetic(operator.add, "fadd")
_arithmetic(operator.sub, "fsub")
_arithmetic(operator.mul, "fmul")
_arithmetic(operator.truediv, "fdiv")


def _call(builder: Any, name: str, result: Any, args: Sequence[Any], **flags: Any) -> Any:
    """Call one of LLVM's own functions."""
    kind = ir.FunctionType(result, [arg.type for arg in args])
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), args, **flags)


def _clip(comparison: str) -> Any:
    """Return a function that gives the bound where it is `comparison` a number, else the number, NaN included."""

    def generate(_context: Any, builder: Any, _signature: Any, args: Sequence[Any]) -> Any:
        bound, number = args
        return builder.select(builder.fcmp_ordered(comparison, bound, number), bound, number)

    def clip(_typing: Any, _bound: Any, _number: Any) -> Any:
        return VECTOR(VECTOR, VECTOR), generate

    return intrinsic(clip)


at_most = _clip("<")
at_least = _clip(">")


@intrinsic
def fma(_typing: Any, _x: Any, _y: Any, _z: Any) -> Any:
    """Return x · y + z."""

    def generate(_context: Any, builder: Any, _signature: Any, args: Sequence[Any]) -> Any:
        return _call(builder, f"llvm.fmuladd.v{LANES}f32", _FLOATS, args)

    return VECTOR(VECTOR, VECTOR, VECTOR), generate


def _place(context: Any, builder: Any, kind: Any, array: Any, index: Any) -> Any:
    """Return the address of LANES numbers in a flat array."""
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), _FLOATS.as_pointer())


@intrinsic
def load(_typing: Any, array: Any, _index: Any) -> Any:
    """Return the LANES numbers of a flat float32 array from `index` on."""

    def generate(context: Any, builder: Any, signed: Any, args: Sequence[Any]) -> Any:
        return builder.load(_place(context, builder, signed.args[0], *args), align=4)

    return VECTOR(array, types.intp), generate


@intrinsic
def store(_typing: Any, array: Any, _index: Any, _value: Any) -> Any:
    """Write LANES numbers into a flat float32 array from `index` on."""

    def generate(context: Any, builder: Any, signed: Any, args: Sequence[Any]) -> Any:
        builder.store(args[2], _place(context, builder, signed.args[0], *args[:2]), align=4)
        return context.get_dummy_value()

    return types.void(array, types.intp, VECTOR), generate


@intrinsic
def spread(_typing: Any, _number: Any) -> Any:
    """Return a vector of one number."""

    def generate(_context: Any, builder: Any, _signature: Any, args: Sequence[Any]) -> Any:
        return _spread(builder, args[0])

    return VECTOR(types.float32), generate


def _spread(builder: Any, number: Any) -> Any:
    nothing = ir.Constant(_FLOATS, ir.Undefined)
    first = builder.insert_element(nothing, number, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(first, nothing, ir.Constant(_INTEGERS, [0] * LANES))


@intrinsic
def spread_at(_typing: Any, array: Any, _index: Any) -> Any:
    """Return a vector of the one number of a flat float32 array at `index`."""

    def generate(context: Any, builder: Any, signed: Any, args: Sequence[Any]) -> Any:
        data = context.make_array(signed.args[0])(context, builder, args[0]).data
        return _spread(builder, builder.load(builder.gep(data, [args[1]])))

    return VECTOR(array, types.intp), generate


@intrinsic
def at(_typing: Any, array: Any, _index: Any) -> Any:
    """Return the number of a flat array at `index` ≥ 0 (Numba's own way also allows for negative ones)."""

    def generate(context: Any, builder: Any, signed: Any, args: Sequence[Any]) -> Any:
        data = context.make_array(signed.args[0])(context, builder, args[0]).data
        return builder.load(builder.gep(data, [args[1]]))

    return array.dtype(array, types.intp), generate


def _of_bits(change: Callable[[Any, Any], Any]) -> Any:
    """Return a function that takes numbers for the whole numbers that their bits are, changes those, and goes back."""

    def generate(_context: Any, builder: Any, _signature: Any, args: Sequence[Any]) -> Any:
        return builder.bitcast(change(builder, builder.bitcast(args[0], _INTEGERS)), _FLOATS)

    def changed(_typing: Any, _x: Any) -> Any:
        return VECTOR(VECTOR), generate

    return intrinsic(changed)


def _all(number: int) -> Any:
    return ir.Constant(_INTEGERS, [number] * LANES)


lowest_as_exponent = _of_bits(lambda builder, bits: builder.shl(bits, _all(_MANTISSA_BITS)))
"""Returns 2ⁿ⁻¹²⁷, n being the lowest eight bits of a number's mantissa."""
mantissa = _of_bits(lambda builder, bits: builder.or_(builder.and_(bits, _all(_MANTISSA)), _all(_ONE)))
"""Returns m of a number m · 2ⁿ > 0, 1 ≤ m < 2."""


@intrinsic
def biased_exponent(_typing: Any, _x: Any) -> Any:
    """Return n + EXPONENT_BIAS of numbers m · 2ⁿ > 0, 1 ≤ m < 2."""

    def generate(_context: Any, builder: Any, _signature: Any, args: Sequence[Any]) -> Any:
        bits = builder.bitcast(args[0], _INTEGERS)
        return builder.sitofp(builder.lshr(bits, _all(_MANTISSA_BITS)), _FLOATS)

    return VECTOR(VECTOR), generate


@intrinsic
def put(_typing: Any, array: Any, _index: Any, _value: Any) -> Any:
    """Write one number into a flat array at `index` ≥ 0."""

    def generate(context: Any, builder: Any, signed: Any, args: Sequence[Any]) -> Any:
        data = context.make_array(signed.args[0])(context, builder, args[0]).data
        builder.store(args[2], builder.gep(data, [args[1]]))
        return context.get_dummy_value()

    return types.void(array, types.intp, array.dtype), generate


@intrinsic
def summed(_typing: Any, _vector: Any) -> Any:
    """Return the sum of a vector's numbers, added in pairs."""

    def generate(_context: Any, builder: Any, _signature: Any, args: Sequence[Any]) -> Any:
        zero = ir.Constant(_FLOAT, 0.0)
        return _call(builder, f"llvm.vector.reduce.fadd.v{LANES}f32", _FLOAT, [zero, *args], fastmath=("reassoc",))

    return types.float32(VECTOR), generate


@njit(inline="always")
def exp2(x: Any) -> Any:
    """Return 2ˣ for −126 ≤ x ≤ 127 (beyond, that of the bound; of NaN, NaN), to a relative error of 2 · 10⁻⁷.

    2ˣ = 2ⁿ · 2ʳ with |r| ≤ 1/2, and for 2ʳ the polynomial of degree 5 whose largest relative error is smallest (Remez).
    To add ROUNDER leaves n in the lowest bits of the sum, ready to become an exponent; r is exact.
    """
    x = at_least(spread(F(-126.0)), at_most(spread(F(127.0)), x))
    shifted = x + spread(F(ROUNDER))
    r = x - (shifted - spread(F(ROUNDER)))
    p = fma(spread(F(0.00132765)), r, spread(F(0.00967554)))
    p = fma(p, r, spread(F(0.05550713)))
    p = fma(p, r, spread(F(0.2402212)))
    p = fma(p, r, spread(F(0.69314697)))
    return fma(p, r, spread(F(1.0))) * lowest_as_exponent(shifted)


@njit(inline="always")
def tanh_of(x: Any) -> Any:
    """Return tanh(x / TANH_SCALE) = 1 − 2 / (2ˣ + 1), to an absolute error of 2 · 10⁻⁷."""
    one = spread(F(1.0))
    return one - spread(F(2.0)) / (exp2(x) + one)
