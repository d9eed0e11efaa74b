import pytest

from runnel.datasets.pairs.pair_corpus import Pairs
from runnel.datasets.pairs.read_tsv import read_tsv
from runnel.shared.errors import InputError

EXPECTED = Pairs(("Go.", "Run!"), ("Va\u202f!", "Cours !"))


@pytest.mark.parametrize(
    "content",
    [
        "Go.\tVa\u202f!\nRun!\tCours !\n",
        "Go.\tVa\u202f!\nRun!\tCours !",
        "\ufeffGo.\tVa\u202f!\r\nRun!\tCours !\r\n",
        "Go.\tVa\u202f!\tCC-BY 2.0 (France) Attribution: tatoeba.org #2877272\nRun!\tCours !\tCC-BY\tmore\n",
        "  Go.\tVa\u202f! \n\nRun! \t Cours !\t\n\n",
        "Go.\tVa\u202f!\nRun!\tCours !\n".encode("utf-16"),
    ],
)
def test_layouts(write, content):
    notes = []
    assert read_tsv(write(content), notes) == EXPECTED
    assert notes == []


def test_quotes_have_no_meaning(write):
    assert read_tsv(write('"Go," he said.\t"Va" !\n'), []) == Pairs(('"Go," he said.',), ('"Va" !',))


def test_bad_lines_are_left_out_and_counted(write):
    notes = []
    path = write(b"Go.\tVa !\nAt the caf\xe9\tAu caf\xe9\nno tab\nRun!\t\nHi.\tSalut !\nBye.\tAdieu !\n", "fra.txt")
    assert read_tsv(path, notes) == Pairs(("Go.", "Hi.", "Bye."), ("Va !", "Salut !", "Adieu !"))
    assert notes == [
        (
            f"{path}: left out 1 line not UTF-8 (first: line 2), 1 line without a tab (first: line 3), "
            "1 line with nothing on one side (first: line 4)"
        )
    ]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "holds no text"),
        (b"\n \n\t\n", "holds no text"),
        (b"one\ntwo\n", "0 usable pairs and 2 lines without a tab (first: line 1)"),
        (b"one,two\nthree,four\n", "source TAB target"),
        ("été\thiver\nhier\tprès\n".encode("cp1252"), "2 lines not UTF-8 (first: line 1)"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\xff", "0 usable pairs"),
    ],
)
def test_files_of_other_kinds(write, content, complaint):
    with pytest.raises(InputError) as caught:
        read_tsv(write(content), [])
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)
