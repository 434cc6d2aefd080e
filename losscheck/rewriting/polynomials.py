"""Sums of products in a normal form: what adds up, cancels or divides is seen there.

A polynomial maps monomials to coefficients; a monomial holds atoms (leaves, calls, sums below a
fraction line) with rational exponents. exp(2 x) is the square of the atom exp(x), and sqrt(u) an
atom to the power of 1/2, so that u, sqrt(u) and its square are the powers of one thing.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from functools import lru_cache

from losscheck.rewriting.expressions import (
    ZERO,
    Expression,
    Leaf,
    Number,
    Operation,
    chained,
    number,
    op,
)

Monomial = tuple[tuple[Expression, Fraction], ...]  # sorted by the atoms' keys
Polynomial = dict[Monomial, Fraction]
MOST = 24  # terms; a longer product stays one
HIGHEST = 4  # a power of a sum that is multiplied out
_HALF = Fraction(1, 2)


def monomial(factors: Iterable[tuple[Expression, Fraction]]) -> Monomial:
    """Multiply powers of atoms."""
    powers: dict[Expression, Fraction] = {}
    for atom, power in factors:
        powers[atom] = powers.get(atom, Fraction(0)) + power
    return tuple(sorted(((a, p) for a, p in powers.items() if p), key=lambda item: item[0].key))


def added(one: Polynomial, other: Polynomial, factor: Fraction = Fraction(1)) -> Polynomial:
    """Add a multiple of one polynomial to another."""
    total = dict(one)
    for term, coefficient in other.items():
        total[term] = total.get(term, Fraction(0)) + factor * coefficient
    return {term: coefficient for term, coefficient in total.items() if coefficient}


def multiplied(one: Polynomial, other: Polynomial) -> Polynomial:
    """Multiply two polynomials; roots that have become whole powers are multiplied out."""
    total: Polynomial = {}
    for left, a in one.items():
        for right, b in other.items():
            total = added(total, _whole(monomial([*left, *right])), a * b)
    return total


def _whole(term: Monomial) -> Polynomial:
    """Multiply out the sums in a monomial that stand there in whole, positive powers."""
    sums = [
        (atom, power)
        for atom, power in term
        if power.denominator == 1 and 0 < power <= HIGHEST and len(polynomial(atom)) != 1
    ]
    rest: Polynomial = {tuple(item for item in term if item not in sums): Fraction(1)}
    for atom, power in sums:
        for _ in range(int(power)):
            rest = multiplied(rest, polynomial(atom))
    return rest


@lru_cache(maxsize=20_000)
def _cached(node: Expression) -> tuple[tuple[Monomial, Fraction], ...]:
    return tuple(_polynomial(node).items())


def polynomial(node: Expression) -> Polynomial:
    """The normal form of an expression."""
    return dict(_cached(node))


def _polynomial(node: Expression) -> Polynomial:
    match node:
        case Number(value=value):
            return {(): value} if value else {}
        case Operation(name="add", operands=(x, y)):
            return added(polynomial(x), polynomial(y))
        case Operation(name="sub", operands=(x, y)):
            return added(polynomial(x), polynomial(y), Fraction(-1))
        case Operation(name="neg", operands=(x,)):
            return added({}, polynomial(x), Fraction(-1))
        case Operation(name="mul", operands=(x, y)):
            return _product(polynomial(x), polynomial(y))
        case Operation(name="div", operands=(x, y)):
            return _product(polynomial(x), _power(polynomial(y), Fraction(-1)))
        case Operation(name="square", operands=(x,)):
            return _power(polynomial(x), Fraction(2))
        case Operation(name="pow", operands=(x, y)) if isinstance(plain(y), Number):
            exponent = plain(y)
            assert isinstance(exponent, Number)
            if exponent.value.denominator == 1:
                return _power(polynomial(x), exponent.value)
            return {monomial([(normal(x), exponent.value)]): Fraction(1)}
        case Operation(name="sqrt", operands=(x,)):
            return {monomial([(normal(x), _HALF)]): Fraction(1)} if x != ZERO else {}
        case Operation(name="exp", operands=(x,)):
            parts = [
                (op("exp", expression({term: Fraction(1)})), coefficient)
                for term, coefficient in polynomial(x).items()
            ]
            return {monomial(parts): Fraction(1)}
    return {monomial([(_inside(node), Fraction(1))]): Fraction(1)}


def _inside(node: Expression) -> Expression:
    """A call with its operands in normal form."""
    if isinstance(node, Operation):
        return op(node.name, *map(normal, node.operands), options=node.options)
    return node


def _product(one: Polynomial, other: Polynomial) -> Polynomial:
    if len(one) * len(other) <= MOST:
        return multiplied(one, other)
    atoms = [(expression(factor), Fraction(1)) for factor in (one, other)]
    return {monomial(atoms): Fraction(1)}


def _power(base: Polynomial, power: Fraction) -> Polynomial:
    if not base:
        return {} if power > 0 else {monomial([(ZERO, power)]): Fraction(1)}
    if len(base) == 1:
        ((term, coefficient),) = base.items()
        return {tuple((a, p * power) for a, p in term): coefficient**power}  # type: ignore[dict-item]
    if 0 < power <= HIGHEST and len(base) ** int(power) <= MOST:
        result: Polynomial = {(): Fraction(1)}
        for _ in range(int(power)):
            result = multiplied(result, base)
        return result
    common, coefficient, rest = content(base)
    inverse = tuple((a, p * power) for a, p in common)
    term = monomial([*inverse, (_sum(rest), power)])
    return {term: coefficient**power}  # type: ignore[dict-item]


def content(poly: Polynomial) -> tuple[Monomial, Fraction, Polynomial]:
    """Take out what all terms share: atoms at their lowest power, and the first coefficient."""
    atoms = {atom for term in poly for atom, _ in term}
    lowest = {a: min(dict(term).get(a, Fraction(0)) for term in poly) for a in atoms}
    common = monomial(lowest.items())
    first = next(iter(poly.values()))
    inverse = [(a, -p) for a, p in common]
    rest: Polynomial = {}
    for term, coefficient in poly.items():
        rest = added(rest, _whole(monomial([*term, *inverse])), coefficient / first)
    return common, first, rest


def together(poly: Polynomial) -> Expression:
    """Write a polynomial over one fraction line, with what all terms share taken out."""
    factors: list[tuple[Expression, Fraction]] = []
    coefficient = Fraction(1)
    while len(poly) > 1:
        common, first, poly = content(poly)
        if first == 1 and not common:
            break
        factors += common
        coefficient *= first
    if not poly:
        return ZERO
    if len(poly) == 1:
        ((term, last),) = poly.items()
        return _term(monomial([*factors, *term]), coefficient * last)
    return _term(monomial(factors), coefficient, _sum(poly))


def expression(poly: Polynomial) -> Expression:
    """Write a polynomial, with the whole powers that all terms share taken out."""
    return together(poly) if _shares(poly) else _sum(poly)


def _shares(poly: Polynomial) -> bool:
    if len(poly) < 2:
        return False
    first, *others = (dict(term) for term in poly)
    return any(all(atom in other for other in others) for atom in first) or (
        len({abs(c) for c in poly.values()}) == 1 and next(iter(poly.values())) not in (1, -1)
    )


def _sum(poly: Polynomial) -> Expression:
    total: Expression | None = None
    # What is added first is positive, where anything is.
    ordered = sorted(poly.items(), key=lambda item: item[1] < 0)
    for term, coefficient in ordered:
        if total is None:
            total = _term(term, coefficient)
        else:
            total = op("sub" if coefficient < 0 else "add", total, _term(term, abs(coefficient)))
    return total or ZERO


def _term(term: Monomial, coefficient: Fraction, times: Expression | None = None) -> Expression:
    """Write a product as a fraction, its sign in front."""
    above = [_to_the(a, p) for a, p in term if p > 0 and not _is_exp(a)]
    below = [_to_the(a, -p) for a, p in term if p < 0 and not _is_exp(a)]
    exponents = {_argument(a): p for a, p in term if _is_exp(a)}
    if exponents:
        inner: Polynomial = {}
        for argument, power in exponents.items():
            inner = added(inner, polynomial(argument), power)
        above.append(op("exp", expression(inner)))
    above += [times] if times is not None else []
    size = abs(coefficient)
    if size != 1 and size.numerator == 1 and above:
        below.insert(0, number(size.denominator))
    elif size != 1 or not above:
        above.insert(0, number(coefficient))
        coefficient = size
    result = chained(above)
    result = op("div", result, chained(below)) if below else result
    return result if coefficient > 0 else op("neg", result)


def _to_the(atom: Expression, power: Fraction) -> Expression:
    if power == 1:
        return atom
    if power == _HALF:
        return op("sqrt", atom)
    if power == 2:
        return op("square", atom)
    return op("pow", atom, number(power))


def _is_exp(atom: Expression) -> bool:
    return isinstance(atom, Operation) and atom.name == "exp"


def _argument(atom: Expression) -> Expression:
    return atom.args[0]


@lru_cache(maxsize=20_000)
def forms(node: Expression) -> tuple[Expression, Expression]:
    """Write an expression anew from its normal form: as a sum, and over one fraction line."""
    poly = polynomial(node)
    return expression(poly), together(poly)


def normal(node: Expression) -> Expression:
    """Write an expression anew from its normal form: equal polynomials are written alike."""
    return node if isinstance(node, Number | Leaf) else forms(node)[0]


def plain(node: Expression) -> Expression:
    """Work out a constant; all else stays."""
    if isinstance(node, Operation) and node.size < 12 and not _has_leaf(node):
        poly = polynomial(node)
        if not poly or set(poly) == {()}:
            return number(poly.get((), Fraction(0)))
    return node


def _has_leaf(node: Expression) -> bool:
    return isinstance(node, Leaf) or any(map(_has_leaf, node.args))


def divided(above: Polynomial, below: Polynomial) -> Polynomial | None:
    """Divide without remainder; None where there is one."""
    result: Polynomial = {}
    lead = max(below, key=_degree)
    for _ in range(HIGHEST * 2):
        if not above:
            return result
        top = max(above, key=_degree)
        quotient = monomial([*top, *((a, -p) for a, p in lead)])
        if any(p < 0 for _, p in quotient):
            return None
        step = {quotient: above[top] / below[lead]}
        result = added(result, step)
        above = added(above, multiplied(step, below), Fraction(-1))
    return None


def _degree(term: Monomial) -> tuple[Fraction, str]:
    return sum((abs(p) for _, p in term), Fraction(0)), " ".join(a.key for a, _ in term)
