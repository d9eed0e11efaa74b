from runnel.datasets.text.drop_repeats import drop_repeats

LONG = "This paragraph is long enough to count as a repetition."
OTHER = "And this is another one, which is also long enough to count."
SHORT = "Chorus: la la la, la la la, la la la la."  # Forty characters.
HELD_OUT = ("validation", "test")


def test_long_paragraphs_of_train_are_dropped():
    notes = []
    splits = {"train": [f"{LONG}\n\n{SHORT}"], "validation": [f"One.\n\n{LONG}\n\n{SHORT}\n"], "test": [f"  {LONG}"]}
    assert drop_repeats(splits, HELD_OUT, notes) == {
        "train": [f"{LONG}\n\n{SHORT}"],
        "validation": [f"One.\n\n{SHORT}\n"],
        "test": [],
    }
    assert notes == ["left out of validation and test, for an earlier split holds the same: 2 paragraphs"]


def test_validation_and_test_share_none_either():
    notes = []
    splits = {"train": ["Words."], "validation": [LONG, OTHER], "test": [f"{OTHER}\n\nEnd."]}
    assert drop_repeats(splits, HELD_OUT, notes)["test"] == ["End."]
    assert notes[0].endswith(" 1 paragraph")


def test_repeats_within_a_split_stay():
    splits = {"train": [LONG, LONG], "validation": [OTHER, OTHER], "test": ["End."]}
    assert drop_repeats(splits, HELD_OUT, notes := []) == splits
    assert notes == []


def test_only_what_is_to_be_cleaned_is():
    splits = {"train": [LONG], "validation": [LONG], "test": [LONG, "End."]}
    assert drop_repeats(splits, ("test",), []) == {"train": [LONG], "validation": [LONG], "test": ["End."]}


def test_lines_are_paragraphs_where_there_are_no_blank_lines():
    splits = {"train": [f"{LONG}\nOne."], "validation": [f"Two.\n{LONG}\nThree."], "test": ["Four."]}
    assert drop_repeats(splits, HELD_OUT, [])["validation"] == ["Two.\nThree."]
    with_blank_line = splits | {"test": ["Four.\n\nFive."]}
    assert drop_repeats(with_blank_line, HELD_OUT, []) == with_blank_line
