"""Documents made at random, in every manner people and programs write them; the same seed makes the same document."""

from __future__ import annotations

import json
import random
from collections.abc import Callable

__all__ = ["OTHERS", "json_text", "toml_text", "with_fault", "yaml_text"]

OTHERS = ("github", "a", "ünï-😀", "with space", "x.y", "#", "", "true", "7", "mcp-gateway-2")
_TEXTS = (
    "",
    "a b",
    "// no",
    "/* no */",
    "{",
    "}",
    "[,]",
    "#",
    "ü😀",
    'a"b',
    "C:\\x",
    "http://h/p?a=1#f",
    "a: b",
    "- c",
    "'",
)
_NUMBERS = ("0", "-1", "1.0", "1e400", "-0.0", "12345678901234567890123", "1E+2", "0.10")


def json_text(rng: random.Random, *, lenient: bool, container: str = "mcpServers", entry: str = "mcp-gateway") -> str:
    """A JSON text, with comments and trailing commas when ``lenient``."""
    return _Json(rng, lenient).document(container, entry)


def toml_text(rng: random.Random, *, container: str = "mcp_servers", entry: str = "mcp-gateway") -> str:
    """A TOML text."""
    return _Toml(rng).document(container, entry)


def yaml_text(rng: random.Random, *, container: str = "extensions", entry: str = "mcp-gateway") -> str:
    """A YAML text."""
    return _Yaml(rng).document(container, entry)


def with_fault(rng: random.Random, text: str) -> str:
    """The text with a few characters taken out, doubled, put in or cut off."""
    for _ in range(rng.randint(1, 3)):
        at = rng.randint(0, len(text))
        text = rng.choice(
            [
                text[:at] + text[at + 1 :],
                text[:at] + text[at : at + 1] + text[at:],
                text[:at] + rng.choice("{}[]\",:#/*\\\n\r\t '-&=.\x00\x0b\u2028") + text[at:],
                text[:at] if rng.random() < 0.3 else text,
            ]
        )
    return text


class _Json:
    def __init__(self, rng: random.Random, lenient: bool) -> None:
        self.rng = rng
        self.lenient = lenient
        self.end = rng.choice(["\n", "\n", "\r\n"])
        self.unit = rng.choice(["  ", "    ", "\t", " "])
        self.lines = rng.random() < 0.7
        self.tight = rng.random() < 0.5
        self.notes = rng.choice([0.0, 0.1, 0.4]) if lenient else 0.0
        self.commas = rng.choice([0.0, 0.3, 1.0]) if lenient else 0.0
        self.doubles = rng.choice([0.0, 0.0, 0.2])

    def document(self, container: str, entry: str) -> str:
        rng = self.rng
        if rng.random() < 0.08:
            blank = rng.choice(["", " ", self.end, "null", f"null{self.end}"])
            return blank + (self.note() if self.lenient and rng.random() < 0.4 else "")
        pairs = [(self.key(), self.value(2)) for _ in range(rng.randint(0, 4))]
        for _ in range(rng.choice([0, 1, 1, 1, 1, 2]) if self.doubles else rng.choice([0, 1, 1, 1])):
            pairs.insert(rng.randint(0, len(pairs)), (self.quoted(container), self.servers(entry)))
        text = self.written("{", "}", [f"{key}{self.colon()}{value}" for key, value in pairs], 0)
        return (
            self.gap(0) + text + rng.choice(["", self.end, self.end * 2]) + (self.note() if rng.random() < 0.1 else "")
        )

    def servers(self, entry: str) -> str:
        names = [self.quoted(name) for name in self.rng.sample(OTHERS, self.rng.randint(0, 3))]
        if self.rng.random() < 0.15:
            names.insert(self.rng.randint(0, len(names)), self.quoted(entry))
        if not names and self.rng.random() < 0.2:
            return "null"
        members = [f"{name}{self.colon()}{self.value(2, 2)}" for name in names]
        return self.written("{", "}", members, 1)

    def value(self, depth: int, level: int = 1) -> str:
        rng = self.rng
        kind = rng.randint(0, 6 if depth else 4)
        if kind <= 1:
            return self.quoted(rng.choice(_TEXTS))
        if kind == 2:
            return rng.choice(_NUMBERS)
        if kind <= 4:
            return rng.choice(["true", "false", "null"])
        if kind == 5:
            return self.written("[", "]", [self.value(depth - 1, level + 1) for _ in range(rng.randint(0, 3))], level)
        members = [f"{self.key()}{self.colon()}{self.value(depth - 1, level + 1)}" for _ in range(rng.randint(0, 3))]
        return self.written("{", "}", members, level)

    def written(self, opener: str, closer: str, members: list[str], level: int) -> str:
        lines = self.lines if self.rng.random() < 0.8 else not self.lines
        if not members:
            inside = self.rng.choice(["", "", "", " ", self.end, self.end + self.unit * level])
            return opener + inside + (self.note() if self.rng.random() < self.notes else "") + closer
        outer, inner = self.end + self.unit * level, self.end + self.unit * (level + 1)
        if not lines:
            outer, inner = self.rng.choice([("", ""), ("", ""), (" ", " ")])
        between = inner if lines else "" if self.tight else " "
        text = opener + inner
        for index, member in enumerate(members):
            text += member + self.maybe_note()
            if index + 1 < len(members):
                text += "," + self.maybe_note() + between
            elif self.rng.random() < self.commas:
                text += "," + self.maybe_note()
        return text + outer + closer

    def key(self) -> str:
        pool = OTHERS[:2] if self.rng.random() < self.doubles else OTHERS
        name = self.rng.choice(pool)
        return self.quoted(name if self.doubles else f"{name}{self.rng.randint(0, 10**6)}")

    def quoted(self, text: str) -> str:
        return json.dumps(text, ensure_ascii=self.rng.random() < 0.3)

    def colon(self) -> str:
        return self.maybe_note() + (":" if self.tight else self.rng.choice([": ", ": ", " : "]))

    def gap(self, level: int) -> str:
        return self.maybe_note() or self.rng.choice(["", "", self.end])

    def maybe_note(self) -> str:
        return self.note() if self.rng.random() < self.notes else ""

    def note(self) -> str:
        if not self.lenient:
            return ""
        words = self.rng.choice(["", "x", '"', "{", ",", "*", "/* ", "ü"])
        return self.rng.choice(
            [f" // {words}{self.end}", f" // {words} {self.end}{self.unit}", f"/* {words}{self.end} */"]
        )


class _Toml:
    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.end = rng.choice(["\n", "\n", "\r\n"])
        self.number = 0

    def document(self, container: str, entry: str) -> str:
        rng = self.rng
        root = [self.pair(self.key()) for _ in range(rng.randint(0, 3))]
        tables = [self.table() for _ in range(rng.randint(0, 3))]
        shape = rng.choice(["none", "none", "tables", "tables", "header", "dotted", "inline", "dotted below", "nested"])
        names = [self.key() for _ in range(rng.randint(1, 2))]
        if rng.random() < 0.15:
            names.append(rng.choice([entry, f'"{entry}"']))
        if shape in {"tables", "nested"}:
            below = ".env" if shape == "nested" else ""
            tables += [f"{self.header(f'{container}.{name}{below}')}{self.pairs()}" for name in names]
        elif shape == "header":
            tables.append(
                f"{self.header(container)}" + "".join(self.line(f"{n} = {self.table_value(1)}") for n in names)
            )
            tables.append(f"{self.header(f'{container}.{self.key()}')}{self.pairs()}")
        elif shape == "dotted below":
            tables.append(f"{self.header(container)}" + "".join(self.line(f"{n}.x = {self.value(1)}") for n in names))
        elif shape == "dotted":
            root += [self.line(f"{container}.{name} . url = {self.value(1)}") for name in names]
        elif shape == "inline":
            pairs = [f"{name} = {self.table_value(1)}" for name in names[: rng.randint(0, 3)]]
            inside = f"{{ {', '.join(pairs)} }}" if pairs else rng.choice(["{}", "{ }", "{  }"])
            root.append(self.line(f"{container} = {inside}"))
        rng.shuffle(root)
        rng.shuffle(tables)
        text = "".join([*root, *tables])
        return text.removesuffix(self.end) if rng.random() < 0.2 else text

    def table(self) -> str:
        name = ".".join(self.key() for _ in range(self.rng.randint(1, 2)))
        if self.rng.random() < 0.3:
            sub = f"{self.header(f'{name}.{self.key()}')}{self.pairs()}"
            return "".join(f"[[{name}]]{self.end}{self.pairs()}{sub}" for _ in range(self.rng.randint(1, 2)))
        return f"{self.header(name)}{self.pairs()}"

    def header(self, name: str) -> str:
        return self.line(self.rng.choice([f"[{name}]", f"[{name}]", f"[ {name} ]"]))

    def pairs(self) -> str:
        return "".join(self.pair(self.key()) for _ in range(self.rng.randint(0, 3)))

    def pair(self, key: str) -> str:
        return self.line(f"{key}{self.rng.choice([' = ', '=', '  =  '])}{self.value(2)}")

    def line(self, text: str) -> str:
        rng = self.rng
        before = rng.choice(["", "", "", self.end, f"# note [x] 'a{self.end}", f'  # "{self.end}'])
        after = rng.choice(["", "", "", " ", " # note", "\t# = ["])
        return f"{before}{rng.choice(['', '', '', '  '])}{text}{after}{self.end}"

    def key(self) -> str:
        self.number += 1
        form = self.rng.choice(["{}", "{}", '"k {}"', "'k.{}'", '"\\u00fc\\"{}"', "k-{}", "k_{}.x"])
        return form.format(self.number)

    def value(self, depth: int) -> str:
        rng = self.rng
        kind = rng.randint(0, 7 if depth else 5)
        if kind <= 1:
            return json.dumps(rng.choice(_TEXTS), ensure_ascii=rng.random() < 0.3).replace("\\ud83d\\ude00", "😀")
        if kind == 2:
            return rng.choice(
                ["'a\\b'", "''", "'[x]'", "'''\n[mcp_servers]\n'''", '"""a\\\n  b"""""', "''''a'b'''", '""""a"""']
            )
        if kind <= 5:
            return rng.choice(["1", "-1_000", "0x1F", "1e3", "inf", "true", "1979-05-27 07:32:00Z", "07:32:00", "1.50"])
        if kind == 6:
            members = [self.value(depth - 1) for _ in range(rng.randint(0, 3))]
            gap = rng.choice(["", " ", f" # ]{self.end}  ", self.end])
            return f"[{gap}{f',{gap}'.join(members)}{rng.choice(['', ',']) if members else ''}{gap}]"
        return self.table_value(depth - 1)

    def table_value(self, depth: int) -> str:
        pairs = [f"{self.key()} = {self.value(depth)}" for _ in range(self.rng.randint(0, 3))]
        return f"{{ {', '.join(pairs)} }}" if pairs else self.rng.choice(["{}", "{ }"])


class _Yaml:
    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.end = rng.choice(["\n", "\n", "\r\n"])
        self.unit = rng.choice([2, 2, 4, 3])
        self.number = 0
        self.anchors: list[str] = []

    def document(self, container: str, entry: str) -> str:
        rng = self.rng
        if rng.random() < 0.06:
            return rng.choice(["", self.end, f"# c{self.end}", f"---{self.end}", "null", "{}", "---"])
        if rng.random() < 0.06:
            return (
                self.flow_map(2, [(container, self.flow_map(1, [(entry, "1")] if rng.random() < 0.2 else []))])
                + self.end
            )
        count = rng.randint(0, 3)
        place = rng.randint(0, count) if rng.random() < 0.75 or not count else -1
        lines: list[str] = []
        for number in range(count + 1):
            lines += self.servers(container, entry) if number == place else []
            lines += self.pair(0, 2) if number < count else []
        if rng.random() < 0.1:
            lines = ["---", *lines, *(["..."] if rng.random() < 0.5 else [])]
        text = self.end.join(lines)
        return text + rng.choice(["", self.end, self.end, self.end, f"{self.end}# end", f"{self.end}{self.end}"])

    def servers(self, container: str, entry: str) -> list[str]:
        rng = self.rng
        shape = rng.randint(0, 9)
        if shape == 0:
            return [rng.choice([f"{container}:", f"{container}: # none", f"{container}: ~", f"{container} : null # x"])]
        if shape == 1:
            return [rng.choice([f"{container}: {{}}", f"{container}: {{ }} # none", f"{container}:   {{}}"])]
        if shape == 2:
            return [f"{container}: {self.flow_map(1, [])}{self.note()}"]
        names = [self.key() for _ in range(rng.randint(1, 3))]
        if rng.random() < 0.15:
            names.insert(rng.randint(0, len(names)), rng.choice([entry, f'"{entry}"']))
        lines = [f"{container}:{self.note()}"]
        for name in names:
            lines += self.odd_lines(self.unit)
            lines += self.pair(self.unit, 2, name)
        return lines

    def pair(self, column: int, depth: int, key: str = "") -> list[str]:
        rng = self.rng
        before, key = " " * column, key or self.key()
        kind = rng.randint(0, 9 if depth else 4)
        if kind <= 3:
            return [*self.odd_lines(column), f"{before}{key}: {self.scalar()}{self.note()}"]
        if kind == 4:
            style = rng.choice(["|", ">", "|-", ">-", "|+"])
            inside = " " * (column + self.unit)
            body = rng.choice([["a", "", "# no"], ["x: y"], ["- a", "  b"], ["a", ""]])
            return [f"{before}{key}: {style}{self.note()}", *(f"{inside}{line}" if line else "" for line in body)]
        if kind == 5:
            return [f"{before}{key}: {self.flow_map(1, [])}{self.note()}"]
        if kind == 6:
            return [f"{before}{key}: [{', '.join(self.scalar() for _ in range(rng.randint(0, 3)))}]{self.note()}"]
        if kind == 7:
            dash = " " * (column + rng.choice([0, self.unit]))
            items = [f"{dash}- {self.scalar()}{self.note()}" for _ in range(rng.randint(1, 3))]
            return [f"{before}{key}:{self.note()}", *items]
        anchor = ""
        if rng.random() < 0.15:
            anchor = f" &a{self.number}"
        below = [self.pair(column + self.unit, depth - 1) for _ in range(rng.randint(1, 3))]
        if anchor:
            self.anchors.append(anchor[2:])
        return [f"{before}{key}:{anchor}{self.note()}", *(line for block in below for line in block)]

    def scalar(self) -> str:
        rng = self.rng
        if self.anchors and rng.random() < 0.1:
            return f"*{rng.choice(self.anchors)} "
        plain = rng.choice(["a b", "1", "true", "~", "1.50", "http://h/p#f", "x-y", "ü", "12:30", "no"])
        quoted = json.dumps(rng.choice(_TEXTS), ensure_ascii=False)
        single = "'" + rng.choice(_TEXTS).replace("'", "''") + "'"
        return rng.choice([plain, plain, quoted, single])

    def flow_map(self, depth: int, pairs: list[tuple[str, str]]) -> str:
        rng = self.rng
        values: Callable[[], str] = (lambda: self.flow_map(depth - 1, [])) if depth else self.scalar
        pairs = [
            *pairs,
            *((self.key(), values() if rng.random() < 0.3 else self.scalar()) for _ in range(rng.randint(0, 2))),
        ]
        rng.shuffle(pairs)
        inside = rng.choice([", ", f",{self.end}    "]).join(f"{key}: {value}" for key, value in pairs)
        pad = rng.choice(["", " "]) if pairs else ""
        return f"{{{pad}{inside}{rng.choice(['', '', ',']) if pairs else ''}{pad}}}"

    def key(self) -> str:
        self.number += 1
        form = self.rng.choice(["k{}", "k{}", "k {}", '"q{}: #"', "'s{}'", "ü{}", "{}"])
        return form.format(self.number)

    def note(self) -> str:
        return self.rng.choice(["", "", "", "", " # note: {", "   # -"])

    def odd_lines(self, column: int) -> list[str]:
        return self.rng.choice([[], [], [], [], [""], [f"{' ' * column}# note"], ["# left"]])
