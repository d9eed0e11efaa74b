"""Each grammatical phenomenon, with translations written by hand."""

from dataclasses import replace

import pytest

from runnel.datasets.phrasebook.adjectives import ADJECTIVE_BY_ENGLISH
from runnel.datasets.phrasebook.clause import (
    Clause,
    Comparison,
    Coordination,
    Described,
    NounPhrase,
    Place,
    Profession,
    Tense,
)
from runnel.datasets.phrasebook.determiners import DETERMINERS
from runnel.datasets.phrasebook.names import NAMES
from runnel.datasets.phrasebook.nouns import NOUN_BY_ENGLISH
from runnel.datasets.phrasebook.places import COUNTRIES
from runnel.datasets.phrasebook.pronouns import (
    HE,
    IT,
    IT_FEMININE,
    ME,
    SHE,
    THERE,
    THERE_SEVERAL,
    THEY,
    THEY_FEMININE,
    WE,
    YOU,
)
from runnel.datasets.phrasebook.sentence import Sentence, Text, write_english, write_french
from runnel.datasets.phrasebook.verbs import AGE, AVOIR_STATES, BE, EXIST, VERBS, WEATHER

PAST, FUTURE, PERFECT, IMPERATIVE = Tense.PAST, Tense.FUTURE, Tense.PERFECT, Tense.IMPERATIVE
NAME = {name.english: name for name in NAMES}
COUNTRY = {country.english: country for country in COUNTRIES}
SPACE = "\N{NO-BREAK SPACE}"


def np(text, **rest):
    """Returns "the old house": a determiner, adjectives, a noun in the singular or in the plural."""
    determiner, *adjectives, word = text.split()
    plural = word not in NOUN_BY_ENGLISH
    noun = next(noun for noun in NOUN_BY_ENGLISH.values() if word in (noun.english, noun.english_plural))
    found = tuple(ADJECTIVE_BY_ENGLISH[adjective] for adjective in adjectives)
    return NounPhrase(noun, DETERMINERS[determiner], plural, found, **rest)


def do(subject, verb, tense=Tense.PRESENT, thing=None, **rest):
    """Returns a clause with a verb that is given by its English: leave something, or leave."""
    found = [other for other in VERBS if other.english == verb]
    fitting = [other for other in found if bool(other.objects) == (thing is not None)]
    return Clause(subject, (fitting or found)[0], tense, object=thing, **rest)


def be(subject, adjective, tense=Tense.PRESENT, degree="", **rest):
    """Returns a clause that says what a subject is like."""
    return Clause(subject, BE, tense, predicate=Described(ADJECTIVE_BY_ENGLISH[adjective], degree), **rest)


def written(clause, mark="."):
    """Returns both texts, a plain space for the no-break space."""
    sentence = clause if isinstance(clause, Sentence) else Sentence(clause, mark="?" if clause.question else mark)
    text = Text("", (sentence,))
    return write_english(text), write_french(text).replace(SPACE, " ")


def relative(phrase, clause, gap):
    """Returns a noun phrase with a relative clause that leaves it out."""
    part = {"subject": {"subject": phrase}, "object": {"object": phrase}}[gap]
    return replace(phrase, relative=replace(clause, gap=gap, **part))


def the(preposition, noun):
    """Returns a place."""
    return (Place(preposition, np(f"the {noun}")),)


AGREEMENT = [
    (do(np("the cat"), "sit", PAST, places=the("on", "mat")),
     "The cat sat on the mat.", "Le chat s'est assis sur le tapis."),
    (do(np("the cow"), "sit", PAST, places=the("on", "mat")),
     "The cow sat on the mat.", "La vache s'est assise sur le tapis."),
    (be(np("the flowers"), "beautiful", degree="very"),
     "The flowers are very beautiful.", "Les fleurs sont très belles."),
    (be(Coordination(NAME["Mary"], NAME["Alice"]), "happy"),
     "Mary and Alice are happy.", "Marie et Alice sont heureuses."),
    (be(Coordination(NAME["Mary"], NAME["Paul"]), "happy"),
     "Mary and Paul are happy.", "Marie et Paul sont heureux."),
    (be(YOU, "tired"), "You are tired.", "Vous êtes fatigué."),
    (be(THEY_FEMININE, "tired"), "They are tired.", "Elles sont fatiguées."),
    (Clause(SHE, BE, predicate=Profession(NOUN_BY_ENGLISH["nurse"])), "She is a nurse.", "Elle est infirmière."),
    (Clause(WE, BE, predicate=Profession(NOUN_BY_ENGLISH["actor"])), "We are actors.", "Nous sommes acteurs."),
]  # fmt: skip

NOUN_PHRASES = [
    (do(ME, "see", thing=np("a old hotel")), "I see an old hotel.", "Je vois un vieil hôtel."),
    (do(ME, "see", thing=np("a beautiful tree")), "I see a beautiful tree.", "Je vois un bel arbre."),
    (do(ME, "see", thing=np("this tree")), "I see this tree.", "Je vois cet arbre."),
    (do(ME, "see", thing=np("that church")), "I see that church.", "Je vois cette église."),
    (do(ME, "see", thing=np("my school")), "I see my school.", "Je vois mon école."),
    (do(ME, "see", thing=np("her new school")), "I see her new school.", "Je vois sa nouvelle école."),
    (do(ME, "see", thing=np("some old houses")), "I see some old houses.", "Je vois de vieilles maisons."),
    (do(ME, "see", thing=np("bare houses")), "I see houses.", "Je vois des maisons."),
    (do(ME, "see", thing=np("the quick brown fox")), "I see the quick brown fox.", "Je vois le rapide renard brun."),
    (do(ME, "see", thing=np("a new red car")), "I see a new red car.", "Je vois une nouvelle voiture rouge."),
    (do(ME, "see", thing=np("the owl")), "I see the owl.", "Je vois le hibou."),
    (do(ME, "see", thing=np("many owls")), "I see many owls.", "Je vois beaucoup de hiboux."),
    (do(ME, "see", thing=np("all churches")), "I see all the churches.", "Je vois toutes les églises."),
    (do(ME, "see", thing=np("another car")), "I see another car.", "Je vois une autre voiture."),
    (do(ME, "see", thing=np("the car", owner=NAME["Alice"])), "I see Alice's car.", "Je vois la voiture d'Alice."),
    (do(ME, "see", thing=np("the books", owner=np("the teacher"))),
     "I see the teacher's books.", "Je vois les livres du professeur."),
    (do(ME, "see", thing=np("the car", owner=np("my friend"))),
     "I see my friend's car.", "Je vois la voiture de mon ami."),
    (do(ME, "drink", thing=np("some water")), "I drink some water.", "Je bois de l'eau."),
    (do(ME, "eat", thing=np("some bread")), "I eat some bread.", "Je mange du pain."),
    (do(ME, "eat", thing=np("some soup")), "I eat some soup.", "Je mange de la soupe."),
    (do(ME, "like", thing=np("kind cats")), "I like cats.", "J'aime les chats."),
    (do(ME, "need", thing=np("some water")), "I need some water.", "J'ai besoin d'eau."),
    (do(ME, "need", thing=np("the keys")), "I need the keys.", "J'ai besoin des clés."),
    (do(ME, "need", thing=np("a car")), "I need a car.", "J'ai besoin d'une voiture."),
    (do(SHE, "speak", thing=np("none French")), "She speaks French.", "Elle parle français."),
    (do(SHE, "learn", thing=np("kind English")), "She learns English.", "Elle apprend l'anglais."),
    (do(SHE, "play", thing=np("the piano")), "She plays the piano.", "Elle joue du piano."),
    (Clause(SHE, next(verb for verb in VERBS if verb.french == "jouer" and verb.preposition == ("à",)),
            object=np("kind soccer")), "She plays soccer.", "Elle joue au football."),
    (do(HE, "draw", thing=np("a heart")), "He draws a heart.", "Il dessine un cœur."),
]  # fmt: skip

NEGATION = [
    (do(HE, "have", thing=np("a dog"), polarity="not"), "He does not have a dog.", "Il n'a pas de chien."),
    (do(HE, "eat", thing=np("some apples"), polarity="not", contracted=True),
     "He doesn't eat any apples.", "Il ne mange pas de pommes."),
    (do(HE, "drink", thing=np("some water"), polarity="no longer"),
     "He no longer drinks any water.", "Il ne boit plus d'eau."),
    (do(HE, "eat", thing=np("the apple"), polarity="not"), "He does not eat the apple.", "Il ne mange pas la pomme."),
    (do(HE, "arrive", PAST, polarity="never"), "He never arrived.", "Il n'est jamais arrivé."),
    (do(SHE, "arrive", PERFECT, polarity="not yet"), "She has not arrived yet.", "Elle n'est pas encore arrivée."),
    (Clause(HE, BE, predicate=Profession(NOUN_BY_ENGLISH["doctor"]), polarity="not", contracted=True),
     "He isn't a doctor.", "Il n'est pas médecin."),
    (do(ME, "rest", PAST, polarity="not"),
     "I did not rest.", "Je ne me suis pas reposé."),
    (do(ME, "need", thing=np("a car"), polarity="not"), "I do not need a car.", "Je n'ai pas besoin d'une voiture."),
]  # fmt: skip

TENSES = [
    (do(SHE, "go", PAST, places=(Place("to", COUNTRY["Japan"]),)), "She went to Japan.", "Elle est allée au Japon."),
    (do(SHE, "come", places=(Place("from", COUNTRY["the United States"]),)),
     "She comes from the United States.", "Elle vient des États-Unis."),
    (do(SHE, "live", places=(Place("in", COUNTRY["Italy"]),)), "She lives in Italy.", "Elle habite en Italie."),
    (do(SHE, "live", places=(Place("in", ("Paris", "Paris")),)), "She lives in Paris.", "Elle habite à Paris."),
    (do(SHE, "go", PAST, places=the("to", "hospital")), "She went to the hospital.", "Elle est allée à l'hôpital."),
    (do(WE, "leave", PAST, time="yesterday", time_first=True), "Yesterday, we left.", "Hier, nous sommes partis."),
    (do(SHE, "eat", PAST, thing=np("a apple")), "She ate an apple.", "Elle a mangé une pomme."),
    (do(SHE, "know", PAST, thing=np("the story")), "She knew the story.", "Elle connaissait l'histoire."),
    (do(SHE, "read", Tense.PAST_PROGRESSIVE), "She was reading.", "Elle lisait."),
    (do(SHE, "read", Tense.PROGRESSIVE, thing=np("a book")), "She is reading a book.", "Elle lit un livre."),
    (do(SHE, "see", FUTURE, thing=np("the sea")), "She will see the sea.", "Elle verra la mer."),
    (do(SHE, "get up", Tense.GOING_TO), "She is going to get up.", "Elle va se lever."),
    (do(WE, "get up", Tense.GOING_TO), "We are going to get up.", "Nous allons nous lever."),
    (do(SHE, "eat", PERFECT, frequency="already"), "She has already eaten.", "Elle a déjà mangé."),
    (do(np("the king"), "die", PAST), "The king died.", "Le roi est mort."),
    (do(SHE, "be born", PAST, places=(Place("in", ("Lyon", "Lyon")),)),
     "She was born in Lyon.", "Elle est née à Lyon."),
]  # fmt: skip

REFLEXIVE = [
    (do(SHE, "wash one's hands", PAST), "She washed her hands.", "Elle s'est lavé les mains."),
    (do(np("the girls"), "get up", PAST), "The girls got up.", "Les filles se sont levées."),
    (do(YOU, "get up", IMPERATIVE), "Get up.", "Levez-vous."),
    (do(YOU, "get up", IMPERATIVE, polarity="not"), "Do not get up.", "Ne vous levez pas."),
    (do(ME, "remember", thing=np("the word")), "I remember the word.", "Je me souviens du mot."),
    (do(ME, "want to", infinitive=do(ME, "rest", Tense.INFINITIVE)), "I want to rest.", "Je veux me reposer."),
]

PRONOUN_OBJECTS = [
    (do(ME, "see", PAST, thing=SHE), "I saw her.", "Je l'ai vue."),
    (do(ME, "see", PAST, thing=THEY), "I saw them.", "Je les ai vus."),
    (do(SHE, "see", PAST, thing=ME), "She saw me.", "Elle m'a vu."),
    (do(ME, "talk to", thing=SHE), "I talk to her.", "Je lui parle."),
    (do(ME, "talk to", PAST, thing=SHE), "I talked to her.", "Je lui ai parlé."),
    (do(ME, "think about", thing=SHE), "I think about her.", "Je pense à elle."),
    (do(ME, "remember", thing=HE), "I remember him.", "Je me souviens de lui."),
    (do(SHE, "give", thing=np("the book"), recipient=HE), "She gives him the book.", "Elle lui donne le livre."),
    (do(SHE, "give", thing=np("the book"), recipient=np("the teachers")),
     "She gives the book to the teachers.", "Elle donne le livre aux professeurs."),
    (do(SHE, "give", thing=THEY, recipient=HE), "She gives them to him.", "Elle les lui donne."),
    (do(SHE, "give", thing=THEY, recipient=ME), "She gives them to me.", "Elle me les donne."),
    (do(YOU, "give", IMPERATIVE, thing=THEY, recipient=ME), "Give them to me.", "Donnez-les-moi."),
    (do(YOU, "show", IMPERATIVE, thing=np("the photo"), recipient=ME), "Show me the photo.", "Montrez-moi la photo."),
    (do(YOU, "open", IMPERATIVE, thing=THEY, polarity="not"), "Do not open them.", "Ne les ouvrez pas."),
    (do(WE, "eat", IMPERATIVE), "Let's eat.", "Mangeons."),
    (do(SHE, "turn on", thing=THEY), "She turns them on.", "Elle les allume."),
    (do(SHE, "explain", thing=np("the rule"), recipient=HE),
     "She explains the rule to him.", "Elle lui explique la règle."),
    (do(SHE, "can", infinitive=do(SHE, "help", Tense.INFINITIVE, thing=ME)), "She can help me.", "Elle peut m'aider."),
    (do(SHE, "try to", PAST, infinitive=do(SHE, "open", Tense.INFINITIVE, thing=np("the door"))),
     "She tried to open the door.", "Elle a essayé d'ouvrir la porte."),
    (do(ME, "like", thing=IT), "I like it.", "Je l'aime."),
    (be(IT_FEMININE, "long"), "It is long.", "Elle est longue."),
]  # fmt: skip

QUESTIONS = [
    (do(HE, "sleep", question="whether"), "Does he sleep?", "Est-ce qu'il dort ?"),
    (do(YOU, "sleep", PAST, question="whether"), "Did you sleep?", "Est-ce que vous avez dormi ?"),
    (be(SHE, "tired", question="whether", polarity="not", contracted=True),
     "Isn't she tired?", "Est-ce qu'elle n'est pas fatiguée ?"),
    (do(SHE, "work", question="where"), "Where does she work?", "Où est-ce qu'elle travaille ?"),
    (Clause(np("the keys"), BE, question="where"), "Where are the keys?", "Où sont les clés ?"),
    (Clause(HE, BE, question="where"), "Where is he?", "Où est-il ?"),
    (do(YOU, "cry", Tense.PROGRESSIVE, question="why"), "Why are you crying?", "Pourquoi est-ce que vous pleurez ?"),
    (do(HE, "eat", PAST, thing=np("the cake"), question="who"), "Who ate the cake?", "Qui a mangé le gâteau ?"),
    (do(HE, "eat", thing=np("the cake"), question="what"), "What does he eat?", "Qu'est-ce qu'il mange ?"),
    (do(YOU, "meet", PAST, thing=np("the girl"), question="whom"),
     "Who did you meet?", "Qui est-ce que vous avez rencontré ?"),
    (do(SHE, "write", PAST, thing=NounPhrase(NOUN_BY_ENGLISH["letter"], DETERMINERS["which"]), question="which"),
     "Which letter did she write?", "Quelle lettre est-ce qu'elle a écrite ?"),
    (do(SHE, "write", PAST, thing=NounPhrase(NOUN_BY_ENGLISH["letter"], DETERMINERS["how many"], True),
        question="which"),
     "How many letters did she write?", "Combien de lettres est-ce qu'elle a écrites ?"),
]  # fmt: skip

RELATIVES = [
    (be(relative(np("the letter"), do(ME, "write", PAST), "object"), "long"),
     "The letter that I wrote is long.", "La lettre que j'ai écrite est longue."),
    (do(ME, "see", thing=relative(np("the flowers"), do(HE, "buy", PAST), "object")),
     "I see the flowers that he bought.", "Je vois les fleurs qu'il a achetées."),
    (do(ME, "know", thing=relative(np("a girl"), do(None, "sing", PAST), "subject")),
     "I know a girl who sang.", "Je connais une fille qui a chanté."),
    (do(ME, "know", thing=relative(np("the women"), do(None, "leave", PAST), "subject")),
     "I know the women who left.", "Je connais les femmes qui sont parties."),
]  # fmt: skip

OTHERS = [
    (Clause(THERE, EXIST, object=np("a cat"), places=the("in", "garden")),
     "There is a cat in the garden.", "Il y a un chat dans le jardin."),
    (Clause(THERE_SEVERAL, EXIST, PAST, object=np("some cats"), polarity="not"),
     "There were not any cats.", "Il n'y avait pas de chats."),
    (Clause(THERE, EXIST, object=np("a cat"), question="whether"), "Is there a cat?", "Est-ce qu'il y a un chat ?"),
    (Clause(ME, AVOIR_STATES[0], contracted=True), "I'm hungry.", "J'ai faim."),
    (Clause(SHE, AVOIR_STATES[0], PAST, polarity="not"), "She was not hungry.", "Elle n'avait pas faim."),
    (Clause(IT, WEATHER[0], PAST, time="yesterday"), "It rained yesterday.", "Il a plu hier."),
    (Clause(SHE, BE, predicate=Comparison(ADJECTIVE_BY_ENGLISH["tall"], NAME["Adam"])),
     "She is taller than Adam.", "Elle est plus grande qu'Adam."),
    (Clause(SHE, BE, predicate=Comparison(ADJECTIVE_BY_ENGLISH["tall"], NAME["Adam"], equal=True)),
     "She is as tall as Adam.", "Elle est aussi grande qu'Adam."),
    (do(HE, "sleep", PAST, manner="well"), "He slept well.", "Il a bien dormi."),
    (do(HE, "walk", PAST, manner="slowly"), "He walked slowly.", "Il a marché lentement."),
    (do(HE, "eat", frequency="often", thing=np("a apple")), "He often eats an apple.", "Il mange souvent une pomme."),
    (Sentence(do(HE, "sleep"), "because", be(HE, "tired")),
     "He sleeps because he is tired.", "Il dort parce qu'il est fatigué."),
    (Sentence(do(YOU, "open", IMPERATIVE, thing=np("the door")), mark="!", polite=True),
     "Open the door, please!", "Ouvrez la porte, s'il vous plaît !"),
    (do(ME, "hope to", infinitive=do(ME, "come", Tense.INFINITIVE)),
     "I hope to come.", "J'espère venir."),
]  # fmt: skip


def ids(case):
    return case if isinstance(case, str) else None


@pytest.mark.parametrize(
    ("clause", "english", "french"),
    [*AGREEMENT, *NOUN_PHRASES, *NEGATION, *TENSES, *REFLEXIVE, *PRONOUN_OBJECTS, *QUESTIONS, *RELATIVES, *OTHERS],
    ids=ids,
)
def test_translation(clause, english, french):
    assert written(clause) == (english, french)


def test_numerals():
    years = NounPhrase(
        replace(NOUN_BY_ENGLISH["eye"], english_plural="years old", french_plural="ans"), DETERMINERS["ten"], True
    )
    assert written(Clause(SHE, AGE, object=years)) == ("She is ten years old.", "Elle a dix ans.")


def test_questions_take_a_no_break_space():
    assert write_french(Text("", (Sentence(do(HE, "sleep", question="whether"), mark="?"),))).endswith(f"dort{SPACE}?")


def test_plain_texts_have_neither_capital_nor_mark():
    text = Text("", (Sentence(do(np("the cat"), "sleep")),), is_plain=True)
    assert (write_english(text), write_french(text)) == ("the cat sleeps", "le chat dort")
    text = Text("", (Sentence(do(NAME["Peter"], "sleep")),), is_plain=True)
    assert (write_english(text), write_french(text)) == ("Peter sleeps", "Pierre dort")
