"""Adverbs of manner and frequency, degrees, and times by the tenses that they go with."""

from types import MappingProxyType

__all__ = ["CLOCK", "DEGREES", "FREQUENCIES", "MANNERS", "MANNERS_OF_VERB", "TIMES", "TIME_GROUPS"]

MANNERS = MappingProxyType({
    "slowly": "lentement", "quickly": "rapidement", "well": "bien", "badly": "mal", "quietly": "silencieusement",
    "loudly": "bruyamment", "carefully": "prudemment", "happily": "joyeusement", "patiently": "patiemment",
    "hard": "dur", "fast": "vite", "together": "ensemble", "early": "tôt", "late": "tard",
    "a lot": "beaucoup", "peacefully": "paisiblement", "nervously": "nerveusement", "politely": "poliment",
})  # fmt: skip
"""English -> French; these stand after the verb."""

_MANNERS_TABLE = """
eat: slowly, quickly, quietly, well, a lot
drink: slowly, quickly
sleep: well, badly, peacefully, a lot
run: fast, slowly, quickly
walk: slowly, quickly, quietly, a lot, fast
swim: well, fast, slowly, badly
dance: well, badly, happily, slowly, a lot
sing: well, badly, loudly, happily
laugh: loudly, a lot, happily
cry: a lot, quietly, loudly
work: a lot, hard, well, quietly
wait: patiently, quietly, nervously
smile: politely, happily, nervously
bark: loudly, nervously, a lot
snore: loudly, a lot
cough: loudly, a lot
whistle: happily, loudly
travel: a lot
get up: early, late, slowly, quickly
wake up: early, late, slowly
go to bed: early, late
arrive: early, late
leave: early, late, quickly, quietly
go home: early, late
get dressed: slowly, quickly
rest: a lot
grow: fast, slowly, well
drive: slowly, carefully, well, badly
read: slowly, quietly
write: slowly, well, badly, quickly
open: slowly, carefully, quickly
close: slowly, carefully, quietly, quickly
repair: quickly
clean: quickly, well
wash: quickly
carry: carefully
cross: slowly, carefully, quickly
play: well, badly
speak: well, badly
explain: patiently, well, slowly
push: slowly, quietly
pull: slowly
lift: carefully, slowly
move: slowly, carefully, quietly
cut: carefully, slowly
answer: quickly, politely, slowly
listen to: patiently
wait for: patiently, nervously
follow: quietly, slowly
touch: carefully
learn: quickly, slowly
understand: well
hear: well
know: well
ring: loudly
fly: fast, slowly
shout: loudly
paint: well, quickly
draw: well, badly, quickly
translate: well, badly, slowly
prepare: quickly
begin: well, badly
taste: slowly, carefully
"""
MANNERS_OF_VERB = MappingProxyType(
    {verb: tuple(names.split(", ")) for verb, names in (row.split(": ") for row in _MANNERS_TABLE.strip().splitlines())}
)
"""English verb -> the adverbs of manner that go with it."""

FREQUENCIES = MappingProxyType({
    "often": "souvent", "always": "toujours", "sometimes": "parfois", "rarely": "rarement", "still": "encore",
    "already": "déjà", "probably": "probablement",
})  # fmt: skip
"""English -> French; before the English verb, after the French one."""

DEGREES = MappingProxyType({"very": "très", "too": "trop", "so": "si", "quite": "assez", "a little": "un peu"})
"""English -> French, before an adjective."""

CLOCK = MappingProxyType({
    "one": "une heure", "two": "deux heures", "three": "trois heures", "four": "quatre heures", "five": "cinq heures",
    "six": "six heures", "seven": "sept heures", "eight": "*huit heures", "nine": "neuf heures", "ten": "dix heures",
    "eleven": "*onze heures",
})  # fmt: skip
"""English hour (with "o'clock") -> French."""

# group | english; french
_TIMES = """
habit | every day; tous les jours
habit | every morning; tous les matins
habit | every evening; tous les soirs
habit | every week; toutes les semaines
habit | in the morning; le matin
habit | in the afternoon; le après-midi
habit | on Sundays; le dimanche
habit | on Fridays; le vendredi
habit | in summer; en été
habit | in winter; en hiver
now | now; maintenant
now | right now; en ce moment
now | today; aujourd'hui
past | yesterday; hier
past | last night; hier soir
past | last week; la semaine dernière
past | last month; le mois dernier
past | last year; la année dernière
past | last summer; la été dernier
past | an hour ago; il y a une heure
past | two days ago; il y a deux jours
past | three weeks ago; il y a trois semaines
past | a year ago; il y a un an
past | this morning; ce matin
past | on Monday; lundi
past | on Tuesday; mardi
future | tomorrow; demain
future | soon; bientôt
future | tonight; ce soir
future | next week; la semaine prochaine
future | next month; le mois prochain
future | next year; la année prochaine
future | next winter; le hiver prochain
future | in an hour; dans une heure
future | in three days; dans trois jours
future | on Wednesday; mercredi
future | on Thursday; jeudi
future | on Saturday; samedi
month | in January; en janvier
month | in March; en mars
month | in April; en avril
month | in May; en mai
month | in July; en juillet
month | in August; en août
month | in October; en octobre
month | in December; en décembre
"""

_FUTURE_AND_PAST = ("month",)


def _read_times() -> dict[str, tuple[str, ...]]:
    """Returns the French words of each English time."""
    rows = (line.split(" | ")[1].split("; ") for line in _TIMES.strip().splitlines())
    hours = {f"at {hour} o'clock": ("à", *french.split()) for hour, french in CLOCK.items()}
    return {english: tuple(french.split()) for english, french in rows} | hours


def _read_groups() -> dict[str, tuple[str, ...]]:
    """Returns the English times of each group; a month is past or future."""
    groups: dict[str, list[str]] = {}
    for line in _TIMES.strip().splitlines():
        group, row = line.split(" | ")
        for name in ("past", "future") if group in _FUTURE_AND_PAST else (group,):
            groups.setdefault(name, []).append(row.split("; ")[0])
    groups["past_state"] = [
        time for time in groups["past"] if time.startswith(("in ", "last ")) and time != "last night"
    ]
    return {name: tuple(times) for name, times in groups.items()}


TIMES = MappingProxyType(_read_times())
TIME_GROUPS = MappingProxyType(_read_groups())
