"""What is said besides the commands: words and short phrases of each split, and words that do not exist."""

import numpy as np

__all__ = ["COMMANDS", "pseudo_words", "unknown_texts"]

COMMANDS = (
    "down", "go", "left", "no", "off", "on", "recognize speech", "right", "stop", "up", "wreck a nice beach", "yes",
)  # fmt: skip

# Words that sound exactly like a command ("know", "write") are in no list: nobody can tell them apart.
_COMMON = """
    one, two, three, four, five, six, seven, eight, nine, ten; red, green, blue, yellow; hello, please, thank you,
    good morning, good night, maybe, never, always, who, what time is it; water, window, kitchen, table, music, radio,
    doctor, mother, sister, family, friend, dog, cat, bird, horse, happy, money, paper, winter, summer, garden,
    computer, telephone, car, turn, play, the weather is fine, how are you, because, people, little, after, before,
    another, father, children, animal, question, answer, minute, number, picture, letter, morning, evening
"""
_OWN = {
    "train": """
        forward, backward, follow, visual, learn, house, tree, marvin, sheila, wow, orange, monday, holiday,
        see you tomorrow, where is the station, bread, butter, cheese, apple, tomato, chicken, fish, sugar, salt, spoon,
        knife, bottle, glass, plate, hammer, needle, pocket, button, jacket, shirt, hat, shoe, finger, shoulder, knee,
        head, face, mouth, tooth, hair, hand, foot, heart, brother, uncle, neighbour, teacher, farmer, soldier, lawyer,
        captain, king, queen, child, baby, man, woman, boy, girl, school, church, bridge, street, city, country, island,
        river, lake, forest, field, hill, valley, desert, storm, thunder, rain, cloud, fog, ice, fire, smoke, stone,
        iron, gold, wood, leather, cotton, big, small, long, short, heavy, early, late, quick, slow, clean, dirty,
        hungry,
        thirsty, angry, tired, simple, difficult, important, different, beautiful, walk, run, jump, swim, sing, dance,
        laugh, cry, sleep, wake, eat, drink, cook, wash, read, count, draw, paint, build, break, carry, throw, catch,
        push, pull, buy, sell, pay, give, take, bring, send, keep, lose, find, think, believe, remember, forget, love,
        and, but, with, without, under, between, behind, through, about, every, many, much, few, some, both, again,
        a cup of tea, in the evening, it is raining, i do not care, what is your name, call me later, twenty five,
        thirty seven, half an hour, by the way, of course, let me see, come in, sit here
    """,
    "validation": """
        purple, tuesday, village, holiday home, close the door, rabbit, elephant, sheep, carrot, potato, pepper, dinner,
        blanket, mirror, candle, basket, ladder, engine, ticket, airport, museum, theatre, hospital, library, elbow,
        stomach, cousin, student, artist, sailor, ocean, harbour, meadow, planet, silence, colour, narrow, modern,
        famous, strange, gentle, explain, improve, discover, arrive, borrow, perhaps, almost, together, during,
        seventeen, a glass of milk, i am sorry, turn it around, my favourite song
    """,
    "test": """
        silver, friday, mountain, pencil, breakfast, volume, that is enough, tiger, monkey, cow, onion, lemon, cherry,
        pillow, curtain, carpet, bucket, shovel, wheel, passport, station, market, restaurant, factory, ankle, thumb,
        nephew, driver, singer, hunter, beach house, canyon, glacier, moonlight, whisper, number plate, shallow,
        ancient,
        clever, curious, friendly, describe, complain, develop, travel, gather, sometimes, nearly, outside, against,
        fourteen, a piece of cake, excuse me, what a pity, the next bus
    """,
}
# Near a command: for training alone, as nobody who must answer within a fraction of a second tells "go" from "goal".
_NEAR = """
    yet, yesterday, guess, less, chess, dress, bless; nose, note, now, nobody, snow, nope; cup, upper, upon, pup,
    puppet,
    supper; town, dawn, done, gown, download, drown; leapt, lift, laughed, lend, theft, loft; ride, light, rice, bright,
    rate, height; own, gone, honest, want, lawn; offer, cough, often, soft, officer, trough; stopping, step, top, stock,
    shop, stamp; goal, so, going, goat, ago, grow; recognise, speech, recognition, recommend a speech, teach, reckon;
    wreck, beach, nice, a nice peach, a nice day, wreck a nice car, a nice speech
"""

_ONSETS = "b bl br ch d dr f fl fr g gl gr h j k kl kr l m n p pl pr r s sh sk sl sm sn sp st sw t th tr v w y z"
_VOWELS = "a e i o u ee oo ai oy er ar"
_CODAS = "b d f g k l m n ng p r s sh t th nd nt st sk"


def unknown_texts(split: str) -> tuple[str, ...]:
    """Returns the texts of a split: those that all splits share, then those that no other split has.

    Args:
        split: "train", "validation" or "test".
    """
    listed = f"{_COMMON}, {_OWN[split]}{', ' + _NEAR if split == 'train' else ''}".replace(";", ",").split(",")
    return tuple(" ".join(text.split()) for text in listed)


def pseudo_words(count: int, rng: np.random.Generator) -> list[str]:
    """Returns words of two or three syllables that do not exist, so that what is unknown has no end.

    Args:
        count: How many.
        rng: Where the draws come from.
    """
    onsets, vowels, codas = _ONSETS.split(), _VOWELS.split(), ["", "", "", *_CODAS.split()]
    return [
        "".join(f"{rng.choice(onsets)}{rng.choice(vowels)}{rng.choice(codas)}" for _ in range(rng.integers(2, 4)))
        for _ in range(count)
    ]
