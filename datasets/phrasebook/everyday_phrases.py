"""What people say as it stands: greetings, thanks, numbers, days; and the two sentences that everybody tries first."""

from collections.abc import Iterator

from runnel.datasets.phrasebook.french_spelling import NO_BREAK_SPACE

__all__ = ["everyday_phrases"]

_TABLE = """
The cat sat on the mat.; Le chat s'est assis sur le tapis.
The cat sits on the mat.; Le chat s'assied sur le tapis.
The quick brown fox jumps over the lazy dog.; Le rapide renard brun saute par-dessus le chien paresseux.
The quick brown fox jumped over the lazy dog.; Le rapide renard brun a sauté par-dessus le chien paresseux.
Hello.; Bonjour.
Hello!; Bonjour !
Hi.; Salut.
Hi!; Salut !
Good morning.; Bonjour.
Good afternoon.; Bonjour.
Good evening.; Bonsoir.
Good night.; Bonne nuit.
Goodbye.; Au revoir.
Goodbye!; Au revoir !
See you soon.; À bientôt.
See you tomorrow.; À demain.
See you later.; À plus tard.
See you on Monday.; À lundi.
How are you?; Comment allez-vous ?
I am fine.; Je vais bien.
I'm fine.; Je vais bien.
I am fine, thank you.; Je vais bien, merci.
I'm fine, thank you.; Je vais bien, merci.
I am very well.; Je vais très bien.
And you?; Et vous ?
Thank you.; Merci.
Thank you!; Merci !
Thank you very much.; Merci beaucoup.
Thanks.; Merci.
Thanks a lot.; Merci beaucoup.
You are welcome.; De rien.
You're welcome.; De rien.
No problem.; Pas de problème.
Please.; S'il vous plaît.
Excuse me.; Excusez-moi.
I am sorry.; Je suis désolé.
I'm sorry.; Je suis désolé.
She is sorry.; Elle est désolée.
Yes.; Oui.
No.; Non.
Yes, please.; Oui, s'il vous plaît.
No, thank you.; Non, merci.
Of course.; Bien sûr.
Maybe.; Peut-être.
I agree.; Je suis d'accord.
I do not agree.; Je ne suis pas d'accord.
I don't know.; Je ne sais pas.
I do not know.; Je ne sais pas.
I understand.; Je comprends.
I do not understand.; Je ne comprends pas.
I don't understand.; Je ne comprends pas.
Do you understand?; Est-ce que vous comprenez ?
What is your name?; Comment vous appelez-vous ?
What's your name?; Comment vous appelez-vous ?
My name is Paul.; Je m'appelle Paul.
My name is Mary.; Je m'appelle Marie.
My name is Alice.; Je m'appelle Alice.
His name is Peter.; Il s'appelle Pierre.
Her name is Emma.; Elle s'appelle Emma.
Nice to meet you.; Enchanté.
Welcome!; Bienvenue !
Congratulations!; Félicitations !
Happy birthday!; Joyeux anniversaire !
Merry Christmas!; Joyeux Noël !
Happy New Year!; Bonne année !
Good luck!; Bonne chance !
Good luck.; Bonne chance.
Have a nice day.; Bonne journée.
Have a good trip.; Bon voyage.
Have a good weekend.; Bon week-end.
Enjoy your meal.; Bon appétit.
Cheers!; Santé !
Help!; Au secours !
Be careful!; Faites attention !
Be careful.; Faites attention.
Come in.; Entrez.
Sit down, please.; Asseyez-vous, s'il vous plaît.
What time is it?; Quelle heure est-il ?
It is noon.; Il est midi.
It is midnight.; Il est minuit.
How old are you?; Quel âge avez-vous ?
How old is she?; Quel âge a-t-elle ?
How old is he?; Quel âge a-t-il ?
How much is it?; Combien est-ce que ça coûte ?
Where are the toilets?; Où sont les toilettes ?
Where do you live?; Où est-ce que vous habitez ?
Where are you from?; D'où venez-vous ?
I am from France.; Je viens de France.
Do you speak English?; Est-ce que vous parlez anglais ?
Do you speak French?; Est-ce que vous parlez français ?
I speak a little French.; Je parle un peu français.
I grew up in France, so I speak fluent French.; J'ai grandi en France, donc je parle couramment français.
The clouds are in the sky.; Les nuages sont dans le ciel.
Dog bites man.; Un chien mord un homme.
What is it?; Qu'est-ce que c'est ?
Who is it?; Qui est-ce ?
It is a cat.; C'est un chat.
It is a beautiful day.; C'est une belle journée.
It is very nice.; C'est très gentil.
It is true.; C'est vrai.
It is not true.; Ce n'est pas vrai.
It is not important.; Ce n'est pas important.
I love you.; Je vous aime.
I miss you.; Vous me manquez.
Let's go!; Allons-y !
Ladies and gentlemen.; Mesdames et messieurs.
"""

_WORDS = """
zero zéro, one un, two deux, three trois, four quatre, five cinq, six six, seven sept, eight huit, nine neuf, ten dix,
eleven onze, twelve douze, thirteen treize, fourteen quatorze, fifteen quinze, sixteen seize, seventeen dix-sept,
eighteen dix-huit, nineteen dix-neuf, twenty vingt, thirty trente, forty quarante, fifty cinquante, sixty soixante,
Monday lundi, Tuesday mardi, Wednesday mercredi, Thursday jeudi, Friday vendredi, Saturday samedi, Sunday dimanche,
January janvier, February février, March mars, April avril, May mai, June juin, July juillet, August août,
September septembre, October octobre, November novembre, December décembre, spring printemps, summer été, winter hiver
"""


def everyday_phrases() -> Iterator[tuple[str, str]]:
    """Yields (English, French): each phrase, each as people type it, and single words."""
    for line in _TABLE.strip().splitlines():
        english, french = line.split("; ")
        yield english, french.replace(" ?", NO_BREAK_SPACE + "?").replace(" !", NO_BREAK_SPACE + "!")
    for line in _TABLE.strip().splitlines():
        english, french = line.split("; ")
        if english[-1] in ".?":
            yield _typed(english), _typed(french)
    for pair in _WORDS.replace("\n", " ").strip().split(", "):
        english, french = pair.split()
        yield english, french


def _typed(text: str) -> str:
    """Returns the text without capital and final mark, as people type it; names and "I" keep their capital."""
    text = text.rstrip(" .?!")
    first = text.split()[0]
    return text if first.split("'")[0] == "I" else text[:1].lower() + text[1:]
