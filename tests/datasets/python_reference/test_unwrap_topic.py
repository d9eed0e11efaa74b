import textwrap

from runnel.datasets.python_reference.unwrap_topic import unwrap_topic

PROSE = (
    "A loop runs its body once for each element of a non-empty sequence, in the order in which they stand.  It ends "
    "after the last one, or where a statement in its body says so; the well-known exceptions are told further below."
)
ONE_SPACE = " ".join(PROSE.split())


def wrapped(text, indent="", first=None):
    first = indent if first is None else first
    return "\n".join(textwrap.wrap(text, 70, initial_indent=first, subsequent_indent=indent))


def test_wrapped_prose_becomes_one_line():
    (paragraph,) = unwrap_topic(wrapped(PROSE))
    assert " ".join(paragraph.split()) == ONE_SPACE


def test_every_place_of_a_break_is_found():
    for length in range(1, 71):  # Shifts the text by one column at a time.
        text = "x" * length + " " + PROSE
        (paragraph,) = unwrap_topic(wrapped(text))
        assert " ".join(paragraph.split()) == "x" * length + " " + ONE_SPACE


def test_indented_prose_and_lists_are_unwrapped_too():
    assert [" ".join(text.split()) for text in unwrap_topic(wrapped(PROSE, "   "))] == [ONE_SPACE]
    listing = wrapped(PROSE, "  ", "* ") + "\n" + wrapped(PROSE, "  ", "* ")
    (paragraph,) = unwrap_topic(listing)
    assert [" ".join(line.split()) for line in paragraph.split("\n")] == [f"* {ONE_SPACE}"] * 2
    assert len(unwrap_topic(wrapped(PROSE, "    ", "[1] "))[0].split("\n")) == 1
    term = "a term:\n" + wrapped(PROSE, "   ")
    assert [" ".join(line.split()) for line in unwrap_topic(term)[0].split("\n")] == ["a term:", ONE_SPACE]


def test_code_stays_as_it_is():
    code = "   for i in range(10):\n       print(i)\n       i = 5             # this will not affect the for-loop"
    table = "+------+------+\n| a    | b    |\n|======|======|\n| 1    | 2    |\n+------+------+"
    grammar = '   one ::= "x" two\n           three\n   two ::= "y"'
    long_lines = "   " + "a" * 60 + " = 1\n   " + "b" * 60 + " = 2\n   c = 3"
    session = '>>> "' + "a" * 63 + '"\n"' + "a" * 63 + '"'
    for block in (code, table, grammar, long_lines, session, "   print(1)"):
        assert unwrap_topic(f"Before:\n\n{block}\n\nAfter.") == ["Before:", block, "After."]


def test_underlines_of_headings_are_dropped():
    text = (
        'The "if" statement\n******************\n\nOne.\n\n\nPart\n====\n\nTwo.\n\n' + "=" * 70 + "\n\nThree.\n\n---\n"
    )
    assert unwrap_topic(text) == ['The "if" statement', "One.", "Part", "Two.", "Three."]
    assert unwrap_topic("   x = '''\n   ===\n   '''") == ["   x = '''\n   ===\n   '''"]  # In code.
    assert unwrap_topic("longer\n===") == ["longer\n==="]


def test_nothing():
    assert unwrap_topic("") == unwrap_topic("\n \n\n") == []
