"""Regular expressions that strangers may write: a subset matched in time proportional to the text, whatever it is.

Python's `re` backtracks: "(a+)+$" on thirty letters keeps a web process busy for minutes, and no check of the
expression finds every such case. Here the expression becomes a small automaton (Thompson, 1968) that reads each
character once. Hence no back-references and no look-around; groups only group. Case does not count, `^` and `$` are
the ends of the text, and only its first 500 characters are read.
"""

from collections.abc import Callable, Iterable

MAX_PATTERN = 200
MAX_TEXT = 500
_MAX_STEPS = 300  # after counted repeats are written out: bounds the work for one character
_MAX_KNOWN = 2000

_CharTest = Callable[[str], bool]
_Set = frozenset[int]

_CLASSES: dict[str, _CharTest] = {
    "d": lambda char: char.isdecimal(),
    "w": lambda char: char.isalnum() or char == "_",
    "s": lambda char: char.isspace(),
}
_CONTROLS = {"t": "\t", "n": "\n", "r": "\r"}


class _Step:
    """One step of the automaton: read a character that passes `test`, go on at `ways`, or stand at an end."""

    __slots__ = ("kind", "test", "ways")

    def __init__(self, kind: str, test: _CharTest | None = None, ways: tuple[int, ...] = ()) -> None:
        self.kind, self.test, self.ways = kind, test, ways


class Pattern:
    """An expression ready to be searched for; ValueError with a sentence for one that cannot be read."""

    __slots__ = ("_known", "_start", "_steps")

    def __init__(self, text: str) -> None:
        self._steps = _Reader(text).read()
        self._known: dict[tuple[_Set, str], _Set] = {}
        self._start = self._reach([0], at_start=True)

    def found_in(self, text: str) -> bool:
        """Tell whether the expression matches anywhere in the first 500 characters of the text."""
        current = self._start
        for char in text[:MAX_TEXT].casefold():
            if _FOUND in current:
                return True
            following = self._known.get((current, char))
            current = self._after(current, char) if following is None else following
        return _FOUND in current or _FOUND in self._reach(current, at_start=not text, at_end=True)

    def _after(self, current: _Set, char: str) -> _Set:
        nexts = [0]  # a match may also begin here
        for number in current:
            test = self._steps[number].test
            if test is not None and test(char):
                nexts.append(number + 1)
        if len(self._known) >= _MAX_KNOWN:
            self._known.clear()
        following = self._known[current, char] = self._reach(nexts)
        return following

    def _reach(self, numbers: Iterable[int], at_start: bool = False, at_end: bool = False) -> _Set:
        reached: set[int] = set()
        waiting = list(numbers)
        while waiting:
            number = waiting.pop()
            if number in reached:
                continue
            reached.add(number)
            step = self._steps[number]
            if step.kind == "found":
                return frozenset([_FOUND])
            if step.kind == "fork":
                waiting += [number + way for way in step.ways]
            elif (step.kind == "start" and at_start) or (step.kind == "end" and at_end):
                waiting.append(number + 1)
        return frozenset(reached)


_FOUND = -1


class _Reader:
    """Reads an expression by recursive descent; each method returns the steps of what it read."""

    def __init__(self, text: str) -> None:
        if len(text) > MAX_PATTERN:
            raise ValueError(f"the expression is longer than {MAX_PATTERN} characters")
        self.text, self.at, self.depth = text, 0, 0

    def read(self) -> list[_Step]:
        steps = self.choice()
        if self.at < len(self.text):
            raise ValueError("a closing parenthesis has no opening one")
        return [*steps, _Step("found")]

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def take(self) -> str:
        char = self.peek()
        if not char:
            raise ValueError("the expression ends too early")
        self.at += 1
        return char

    def skip(self, text: str) -> bool:
        found = self.text.startswith(text, self.at)
        self.at += len(text) if found else 0
        return found

    def choice(self) -> list[_Step]:
        left = self.sequence()
        if not self.skip("|"):
            return left
        right = self.choice()
        jump = _Step("fork", ways=(len(right) + 1,))
        return _bounded([_Step("fork", ways=(1, len(left) + 2)), *left, jump, *right])

    def sequence(self) -> list[_Step]:
        steps: list[_Step] = []
        while self.peek() not in ("", "|", ")"):
            steps = _bounded(steps + self.repeated())
        return steps

    def repeated(self) -> list[_Step]:
        steps, times = self.atom(), self.times()
        if times is None:
            return steps
        self.skip("?")  # greedy or not makes no difference to whether there is a match
        if self.peek() in ("*", "+", "?"):
            raise ValueError("a repeat cannot be repeated; put it in parentheses")
        return _repeat(steps, *times)

    def times(self) -> tuple[int, int | None] | None:
        for sign, times in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self.skip(sign):
                return times
        if not self.skip("{"):
            return None
        low, comma, high = self.until("}").partition(",")
        if not low.isdecimal() or not (high.isdecimal() or not high):
            raise ValueError("write a counted repeat as {2}, {2,} or {2,5}, and a brace itself as \\{")
        least, most = int(low), int(high) if high else (None if comma else int(low))
        if least > _MAX_STEPS or (most is not None and not least <= most <= _MAX_STEPS):
            raise ValueError(f"a counted repeat goes from a smaller to a larger number, at most {_MAX_STEPS}")
        return least, most

    def until(self, end: str) -> str:
        text, found, _ = self.text[self.at :].partition(end)
        if not found:
            raise ValueError(f"{end} is missing")
        self.at += len(text) + 1
        return text

    def atom(self) -> list[_Step]:
        char = self.take()
        if char == "(":
            return self.group()
        if char == "[":
            return [_Step("read", self.char_class())]
        if char == ".":
            return [_Step("read", lambda _: True)]
        if char in "^$":
            return [_Step("start" if char == "^" else "end")]
        if char in "*+?{":
            raise ValueError(f"{char} has nothing before it to repeat; write \\{char} for the character")
        if char == "\\":
            test, char = self.escaped()
            if test is not None:
                return [_Step("read", test)]
        return [_Step("read", folded.__eq__) for folded in char.casefold()]

    def group(self) -> list[_Step]:
        if self.peek() == "?" and not self.skip("?:"):
            raise ValueError("of the groups that begin with (? only (?: is understood")
        self.depth += 1
        if self.depth > 20:
            raise ValueError("parentheses are nested more than 20 deep")
        steps = self.choice()
        if not self.skip(")"):
            raise ValueError("a parenthesis is not closed")
        self.depth -= 1
        return steps

    def escaped(self) -> tuple[_CharTest | None, str]:
        char = self.take()
        if char.lower() in _CLASSES:
            test = _CLASSES[char.lower()]
            return (test if char.islower() else lambda each: not test(each)), ""
        if char in _CONTROLS:
            return None, _CONTROLS[char]
        if char.isalnum():
            raise ValueError(f"\\{char} is not understood; there are \\d \\w \\s \\D \\W \\S and escaped signs")
        return None, char

    def char_class(self) -> _CharTest:
        negated = self.skip("^")
        tests: list[_CharTest] = []
        while not tests or self.peek() != "]":
            tests.append(self.class_item())
        self.take()
        return lambda char: any(test(char) for test in tests) is not negated

    def class_item(self) -> _CharTest:
        test, low = self.class_char()
        if test is not None:
            return test
        high = low
        if self.peek() == "-" and self.text[self.at + 1 : self.at + 2] not in ("]", ""):
            self.take()
            test, high = self.class_char()
            if test is not None or high < low:
                raise ValueError("a range in brackets goes from a smaller to a larger character")
        return lambda char: any(low <= form <= high for form in (char, char.upper(), char.lower()))

    def class_char(self) -> tuple[_CharTest | None, str]:
        char = self.take()
        return self.escaped() if char == "\\" else (None, char)


def _repeat(steps: list[_Step], least: int, most: int | None) -> list[_Step]:
    """Write a repeat out; jumps are relative, so that the same steps can stand in several places."""
    whole: list[_Step] = []
    for _ in range(least):
        whole = _bounded(whole + steps)
    if most is None:
        return _bounded(
            [*whole, _Step("fork", ways=(1, len(steps) + 2)), *steps, _Step("fork", ways=(-len(steps) - 1,))]
        )
    for _ in range(most - least):
        whole = _bounded([*whole, _Step("fork", ways=(1, len(steps) + 1)), *steps])
    return whole


def _bounded(steps: list[_Step]) -> list[_Step]:
    if len(steps) > _MAX_STEPS:
        raise ValueError("the expression is too large; use smaller counts")
    return steps
