"""Which language is a text in? By its script, then by its most common words."""

import re
from collections import Counter

from boxscore.datasets.example import Example
from boxscore.errors import ScorerError, UnknownNameError
from boxscore.providers.response import Response
from boxscore.scoring.arguments import format_spec
from boxscore.scoring.scorer import Metric, Score

__all__ = ["LANGUAGES", "Language", "detect_language"]

# Function words: frequent, short, and told apart by few others. Shared ones ("de", "la", "in") weigh less, see below.
_WORDS = {
    "en": "the of and to in is that for it was on are as with his they be at this from have or by not but what all were"
    " we when your can there an which their if will how about out them then these so some her would has more who you"
    " where why did does do were had been been my me no into than other only",
    "de": "der die und das ist nicht ein eine zu den mit von für auf im sich dem des auch als wird sind oder bei wie an"
    " aus einen einer es ich sie er wir nach werden haben hat kann aber nur noch durch über zum zur dass wenn man ihr"
    " was wer wo wann warum welche welcher welches welchem welchen wurde wurden war waren viele diese dieser vor",
    "fr": "le la les de des et un une est en que qui dans pour pas sur du au ce avec il elle sont plus par je vous nous"
    " ne se cette ou mais comme ont leur aux été être son ses sa fait peut tout c'est d'un l'on qu'il n'est très aussi"
    " quel quelle quels quelles comment combien pourquoi quand où était étaient",
    "es": "el la los las de que y en un una es por con no para del se su al como más lo está son pero sus le ya este ha"
    " o entre cuando muy sin sobre también fue hasta hay donde han quien desde todo nos durante esta ser si porque"
    " qué quién quiénes cómo cuál cuáles cuándo cuánto cuántos cuánta cuántas dónde fueron era",
    "it": "il la che di e un una è per non con del della in si sono da le dei al come più anche nel alla lo ma gli su"
    " questo ha i delle dal questa essere o ed alle degli nella dalla sua suo tra ci loro quando perché può molto"
    " chi dove quale quali quanto quanti cosa era stato stata",
    "pt": "o a os as de que e um uma em é para com não do da no na se por mais dos das ao como mas foi ele são pelo"
    " pela seu sua ou ser quando muito nos já está também só até isso ela entre era depois sem mesmo você à às"
    " qual quais quem onde quanto quantos quantas eram foram",
    "nl": "de het een en van is dat niet te in op voor met zijn aan er die ook maar om als bij naar dan of door uit"
    " over worden wordt heeft hebben kan nog deze dit ze je ik wij zij hij meer veel tot zo wat hun haar geen moet"
    " wie wat waar wanneer waarom welke hoe hoeveel werd werden was waren",
    "sv": "och att det som en på är av för den till med inte har de om ett var jag men sig så han kan när man från vid"
    " eller vi under också efter hade sin nu ska där mot skulle över mycket detta dessa dem"
    " vad vem hur när var vilken vilket vilka varför",
    "da": "og at det som en på er af for den til med ikke har de om et var jeg men sig så han kan når man fra ved eller"
    " vi under også efter havde sin nu skal der mod skulle over meget dette disse dem blev hvor hvad",
    "no": "og at det som en på er av for den til med ikke har de om et var jeg men seg så han kan når man fra ved eller"
    " vi under også etter hadde sin nå skal der mot skulle over mye dette disse dem ble hvor hva",
    "fi": "ja on ei se että en oli hän mutta kuin niin myös joka ovat sen kun tai ole olla jos nyt mitä vain hänen tämä"
    " sitä kanssa joita jotka voi sekä ovat mukaan niitä",
    "pl": "i w na z do nie się to jest że o jak po ale za od są tak przez dla który może być tym oraz jego jej tego lub"
    " już co czy także ich był które tylko",
    "cs": "a v na se je že s z do o to i k ve jako za po pro by od jsou nebo při byl tak ale co jeho který také která"
    " jen není jsem která když být byla",
    "ro": "și în de la cu a pe nu este o un că din să se care pentru mai ce sau al ale au fost sunt prin ca dar fi după"
    " lui acest această între foarte",
    "tr": "ve bir bu da de için ile çok olarak daha olan gibi ama ne var en o her kadar sonra ben değil mi olduğu veya"
    " ise ya göre tarafından",
    "hu": "a az és hogy nem is egy van meg ez de volt csak mint vagy ha már ki el még azt kell lehet volna amely így"
    " után sem pedig között",
    "id": "yang dan di untuk dengan ini itu dari dalam tidak pada adalah ke akan juga oleh ada atau dapat saya mereka"
    " sebagai karena bisa lebih telah kami anda seperti",
    "vi": "và của là có không được cho một các những này trong với người đã khi để từ tôi cũng như đến về nhiều bạn"
    " hoặc tại vào nhưng",
    "ca": "el la els les de i que en un una és per amb no del es al com més són però dels als també ha aquest aquesta"
    " ser o si va perquè fer molt seva seu entre quan",
    "ru": "и в не на что с он как это по но из у к за от так о для же все она они был или бы мы при его может если"
    " только быть также есть",
    "uk": "і в не на що з він як це по але із у до за від так о для же все вона вони був або ми при його може якщо"
    " тільки бути також є та й",
    "bg": "и в не на че с той като това по но от за се са е да ще или при му може ако само също има към до както си",
    "ar": "في من على أن إلى هذا التي الذي عن مع كان هذه لا ما هو هي أو كل بعد قد لم بين",
    "fa": "و در به از که این را است با برای آن یک می شود ها بر تا هم شده باید یا کرد بود",
    "ur": "کے میں کی ہے اور سے کا کو پر یہ نے ہیں کہ اس بھی ایک تھا ہو جو کر",
    "hi": "के में की है और से का को पर यह ने हैं कि इस भी एक था हो जो कर",
    "mr": "आणि आहे या व ते हे तो की मध्ये होते होता आहेत एक त्या करण्यात येथे",
}

# Scripts that settle it. Where several languages share a script its words decide among them.
_SCRIPTS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("kana", "\u3040-\u30ff", ("ja",)),
    ("hangul", "\uac00-\ud7af\u1100-\u11ff", ("ko",)),
    ("han", "\u3400-\u9fff", ("zh",)),
    ("thai", "\u0e00-\u0e7f", ("th",)),
    ("hebrew", "\u0590-\u05ff", ("he",)),
    ("greek", "\u0370-\u03ff", ("el",)),
    ("cyrillic", "\u0400-\u04ff", ("ru", "uk", "bg")),
    ("arabic", "\u0600-\u06ff", ("ar", "fa", "ur")),
    ("devanagari", "\u0900-\u097f", ("hi", "mr")),
    ("bengali", "\u0980-\u09ff", ("bn",)),
    ("gurmukhi", "\u0a00-\u0a7f", ("pa",)),
    ("gujarati", "\u0a80-\u0aff", ("gu",)),
    ("tamil", "\u0b80-\u0bff", ("ta",)),
    ("telugu", "\u0c00-\u0c7f", ("te",)),
    ("kannada", "\u0c80-\u0cff", ("kn",)),
    ("malayalam", "\u0d00-\u0d7f", ("ml",)),
    ("armenian", "\u0530-\u058f", ("hy",)),
    ("georgian", "\u10a0-\u10ff", ("ka",)),
)
_LATIN = tuple(code for code in _WORDS if code not in {one for _, _, codes in _SCRIPTS for one in codes})
LANGUAGES: tuple[str, ...] = tuple(sorted({*_LATIN, *(code for _, _, codes in _SCRIPTS for code in codes)}))
"""The ISO 639-1 codes that can be told apart."""

_SETS = {code: frozenset(words.split()) for code, words in _WORDS.items()}
_SHARED = Counter(word for words in _SETS.values() for word in words)
_COUNTERS = [(re.compile(f"[{chars}]"), codes) for _, chars, codes in _SCRIPTS]
_LATIN_LETTER = re.compile(r"[A-Za-zÀ-ɏḀ-ỿ]")
_NOT_TEXT = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`|https?://\S+|<[^>\n]{1,80}>", re.DOTALL)
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
# Letters that only some Latin languages write; one of them weighs like a common word.
_LETTERS = {
    "ß": ("de",), "ñ": ("es",), "¿": ("es",), "ã": ("pt",), "õ": ("pt",), "œ": ("fr",), "ł": ("pl",), "ś": ("pl",),
    "ř": ("cs",), "ě": ("cs",), "ů": ("cs",), "ğ": ("tr",), "ı": ("tr",), "ő": ("hu",), "ű": ("hu",), "ș": ("ro",),
    "ț": ("ro",), "ơ": ("vi",), "ư": ("vi",), "đ": ("vi",), "æ": ("da", "no"), "ø": ("da", "no"),
    "ä": ("de", "sv", "fi"),
    "ö": ("de", "sv", "fi", "tr", "hu"), "ü": ("de", "tr", "hu"), "å": ("sv", "da", "no"),
}  # fmt: skip


def detect_language(text: str) -> str | None:
    """The ISO 639-1 code of the language that most of the text is in; None for too little text or an unknown one.

    Code, addresses and markup are left out. Letters are counted by script; within a script the function words of each
    language are, a shared word divided by the number of languages that share it.
    """
    text = _NOT_TEXT.sub(" ", text)[:20_000].lower()
    counts = [(len(pattern.findall(text)), codes) for pattern, codes in _COUNTERS]
    latin = len(_LATIN_LETTER.findall(text))
    kana, han = counts[0][0], counts[2][0]
    if kana and kana * 10 >= han:
        counts[0] = (kana + han, ("ja",))  # Japanese writes most content words in Han characters
        counts[2] = (0, ("zh",))
    most, codes = max(counts, key=lambda pair: pair[0])
    # A Han character or a Hangul syllable says about as much as two letters.
    dense = 2 if codes[0] in ("ja", "zh", "ko") else 1
    if most * dense > latin:
        return codes[0] if len(codes) == 1 else _by_words(text, codes) or codes[0]
    return _by_words(text, _LATIN) if latin else None


def _by_words(text: str, codes: tuple[str, ...]) -> str | None:
    points = dict.fromkeys(codes, 0.0)
    for word, times in Counter(word.replace("’", "'") for word in _WORD.findall(text)).items():
        shared = _SHARED.get(word)
        if shared:
            for code in codes:
                if word in _SETS[code]:
                    points[code] += times / shared
    for letter, owners in _LETTERS.items():
        times = text.count(letter)
        for code in owners:
            if times and code in points:
                points[code] += times / len(owners)
    best = max(points, key=lambda code: points[code])
    return best if points[best] > 0 else None


class Language:
    """Most of the answer is in the given language, an ISO 639-1 code (`language:de`).

    Without a code the example says it: `metadata.language`, else the reference (a code, or a text whose language is
    taken). Code blocks, addresses and tags are not read. Told apart by script and by function words; LANGUAGES in
    `boxscore.scoring.language` has the codes.

    Lies on answers of a few words (a name or a number has no language: nothing was read, and it counts as wrong), on
    near relatives (Danish and Norwegian, Hindi and Marathi), and on mixed texts, where the larger part wins.
    """

    def __init__(self, code: str | None = None) -> None:
        self._code = _known(code.lower()) if code else None
        self.spec: str = format_spec("language", [self._code] if self._code else [])
        self.metric: Metric = Metric(name="language")

    def score(self, example: Example, response: Response) -> Score:
        wanted = self._code or self._wanted(example)
        got = detect_language(response.output)
        return Score(value=float(got == wanted), label=got or "nothing read", note=f"{wanted} is wanted")

    def _wanted(self, example: Example) -> str:
        named = example.metadata.get("language")
        if isinstance(named, str):
            return _known(named.lower(), example.id)
        reference = example.reference
        if isinstance(reference, str):
            if reference.strip().lower() in LANGUAGES:
                return reference.strip().lower()
            detected = detect_language(reference)
            if detected:
                return detected
        raise ScorerError(
            "language",
            "no language is named: write language:de, or give metadata.language or a reference text",
            example_id=example.id,
        )


def _known(code: str, example_id: str | None = None) -> str:
    short = re.split("[-_]", code)[0]
    if short not in LANGUAGES:
        where = f"example {example_id!r}" if example_id else "scorer 'language'"
        raise UnknownNameError("language", code, LANGUAGES, where=where)
    return short
