from runnel.datasets.audio.speakers_of import speakers_of


def test_names_of_speech_commands():
    stems = [
        "0a7c2a8d_nohash_0",
        "backward_0c540988_nohash_2.wav",
        "1024",
        "cat_9ff2d2f4_nohash_0",
        "0A7C2A8D_nohash_1",
    ]
    assert speakers_of(["yes", "_unknown_", "_silence_", "_unknown_", "no"], stems) == (
        "0a7c2a8d",
        "0c540988",
        "",
        "9ff2d2f4",
        "0a7c2a8d",
    )


def test_digits_must_be_eight_and_stand_at_the_beginning():
    others = ["0a7c2a8_a", "0a7c2a8de_a", "a_b_0a7c2a8d", "x0a7c2a8d", "0a7c2a8g"]
    assert speakers_of(["yes"] * 6, ["87070229_nohash_2", *others]) == ("",) * 6
    assert speakers_of(["yes"] * 6, ["0a7c2a8d", *others]) == ("0a7c2a8d", "", "", "", "", "")


def test_a_date_is_no_speaker_unless_others_are():
    assert speakers_of(["yes", "no"], ["20240131_120000", "20240201_080000"]) == ("", "")
    assert speakers_of(["yes", "no"], ["87070229_nohash_2", "f9643d42_nohash_3"]) == ("87070229", "f9643d42")


def test_label_speaker_index():
    labels = ["7", "7", "wreck a nice beach", "Yes"]
    stems = ["7_jackson_32", "7_van_der_berg_0", "wreck a nice beach_theo_1", "yes_theo_2"]
    assert speakers_of(labels, stems) == ("jackson", "van_der_berg", "theo", "theo")
    assert speakers_of([*labels, "no"], [*stems, "no 12"]) == ("",) * 5  # Then it may be anything.
    assert speakers_of(["yes"], ["no_theo_1"]) == ("",)


def test_other_words_belong_to_speakers_of_commands_alone():
    labels = ["yes", "_unknown_", "_unknown_", "_unknown_", "_silence_"]
    stems = ["yes_theo_0", "cat_theo_0", "common_voice_12", "birds", "pause_theo_1"]
    assert speakers_of(labels, stems) == ("theo", "theo", "", "", "theo")


def test_no_files():
    assert speakers_of([], []) == ()
