"""What is said besides the commands: words and short phrases of each split."""

__all__ = ["COMMANDS", "unknown_texts"]

COMMANDS = (
    "down", "go", "left", "no", "off", "on", "recognize speech", "right", "stop", "up", "wreck a nice beach", "yes",
)  # fmt: skip

# Words that sound exactly like a command ("know", "write") are in no list: nobody can tell them apart.
_COMMON = """
    yet, yesterday, guess, less; nose, note, now; cup, upper, upon; town, dawn, done; leapt, lift, laughed;
    ride, light, rice; own, gone, honest; offer, cough, often; stopping, step, top; goal, so, going;
    recognise, speech, recognition, wreck, beach, nice, a nice peach, a nice day;
    one, two, three, four, five, six, seven, eight, nine, ten; red, green, blue, yellow; hello, please, thank you;
    good morning, good night, maybe, never, always, who, what time is it, water, window, kitchen, table, music, radio,
    doctor, mother, sister, family, friend, dog, cat, bird, horse, happy, money, paper, winter, summer, garden,
    computer, telephone, car, open, close, turn, play, the weather is fine, how are you
"""
_OWN = {
    "train": """
        chess, dress, bless; nobody, snow, nope; pup, puppet, supper; gown, download, drown; lend, theft, loft;
        bright, rate, height; want, lawn; soft, officer, trough; stock, shop, stamp; goat, ago, grow;
        recommend a speech, wreck a nice car, a nice speech, teach, reckon; forward, backward, follow, visual, learn,
        house, tree, marvin, sheila, wow, orange, monday, holiday, see you tomorrow, where is the station
    """,
    "validation": """
        mess, yell; node, knock; hub, cut; brown, doubt; lest, cleft; bride, ripe; john, swan; awful, coffin;
        stomp, slop; gold, low; recognise a face, wreck a nice boat, peach, reach; purple, tuesday, bottle, village,
        holiday home, close the door
    """,
    "test": """
        press, yeah; moan, knot; hut, pop; crown, noun; deft, lent; white, kite, fright; con, wand; aloft, coffee;
        stoop, chop; ghost, toe; recognise the speaker, wreck a nice bench, preach, each; silver, friday, mountain,
        pencil, breakfast, volume, that is enough
    """,
}


def unknown_texts(split: str) -> tuple[str, ...]:
    """Returns the texts of a split: those that all splits share, then those that no other split has.

    Args:
        split: "train", "validation" or "test".
    """
    listed = f"{_COMMON}, {_OWN[split]}".replace(";", ",").split(",")
    return tuple(" ".join(text.split()) for text in listed)
