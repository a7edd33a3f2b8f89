"""The wordings that made-up support tickets are built from, those held out from training beside the familiar ones."""

import msgspec

__all__ = ["ACTIONS", "CLOSINGS", "CONFIRMS", "EXTRAS", "FRAMES", "LINES", "OPENINGS", "URGENT", "WISHES", "Phrases"]


class Phrases(msgspec.Struct, frozen=True):
    """Wordings of one thing. Training draws from `familiar` only."""

    familiar: tuple[str, ...]
    held_out: tuple[str, ...]


WISHES = {
    "refund": Phrases(
        (
            "I want my money back",
            "please refund me",
            "I would like a refund",
            "give me back what I paid",
            "please return the money",
            "when do I get my refund",
            "the item was broken, I want the money back",
            "it does not work and I would like my money back",
            "you charged me twice, please pay it back",
            "I sent it back and still wait for the refund",
            "please send the money back to my card",
            "the quality is poor, please refund the full price",
            "I was charged for something I never got, refund it",
            "can you pay back the amount",
            "my return has arrived at your place, where is my refund",
            "I am not happy with it and ask for a refund",
            "it arrived broken and I want a refund",
            "I still have not got the refund",
            "you got the parcel back, now pay me back",
            "please put the money back on my account",
        ),
        (
            "it came broken, please refund the price",
            "I ask for my money back",
            "please pay the money back to me",
            "I still wait for my money, you got the return",
            "the refund for this has not come",
        ),
    ),
    "delivery": Phrases(
        (
            "where is my parcel",
            "my package has not arrived",
            "the tracking has not moved for days",
            "when will it be delivered",
            "my delivery is late",
            "I am still waiting for the parcel",
            "the courier never came",
            "it was to be here on Monday and is not",
            "the parcel is stuck somewhere",
            "has my order been shipped",
            "please tell me when it arrives",
            "nothing has been delivered so far",
            "tracking says delivered, but there is no package",
            "how long does the shipping take",
            "the parcel went to the wrong house",
            "I wait for my goods and hear nothing",
            "the courier lost it",
            "my parcel seems to be lost",
            "still nothing here, where is it",
            "the delivery was due last week",
        ),
        (
            "the package is late and the tracking is stuck",
            "when does my parcel arrive",
            "my goods have not been delivered",
            "the courier has lost my package",
            "still no parcel here",
        ),
    ),
    "cancel": Phrases(
        (
            "please cancel my order",
            "I want to cancel",
            "stop this order",
            "I do not need it any more",
            "I changed my mind, please cancel it",
            "do not ship it, I cancel",
            "please call off the purchase",
            "I ordered by mistake, please stop it",
            "can I still cancel",
            "I found it cheaper elsewhere, cancel please",
            "withdraw my order",
            "please take this order out of the system before it ships",
            "I no longer want it",
            "cancel this at once",
            "I clicked twice, please cancel this one",
            "stop the purchase before you ship it",
            "it was a mistake, please stop it",
            "I have to cancel",
            "please do not send it, I do not want it",
            "call this purchase off, please",
        ),
        (
            "I changed my mind and no longer need it",
            "please stop the order, it was a mistake",
            "I would like to call off my order",
            "do not ship this one, I do not want it",
            "I have to cancel this purchase",
        ),
    ),
    "invoice": Phrases(
        (
            "please send me the invoice",
            "I need a bill",
            "the receipt is missing",
            "where can I download the invoice",
            "I need a tax document",
            "my company needs a receipt",
            "there was no bill in the box",
            "please put our VAT number on the invoice",
            "the name on the bill is wrong",
            "can I have the invoice as a PDF",
            "I need the receipt for my taxes",
            "my accountant asks for the invoice",
            "you forgot to send the bill",
            "please send the receipt again",
            "I lost the invoice and need a copy",
            "the bill has the wrong address, please send a new one",
            "please send a copy of the bill",
            "there is no receipt in my mail",
            "my accountant needs a receipt",
            "I need it on paper, please send the invoice",
        ),
        (
            "I need a copy of the receipt",
            "my accountant needs the bill",
            "the invoice was not in the box",
            "please send the PDF of my bill",
            "our VAT number is missing on the receipt",
        ),
    ),
    "exchange": Phrases(
        (
            "I want to exchange it",
            "the size is wrong, please swap it",
            "I got the wrong color, please exchange it",
            "can I swap it for a bigger one",
            "please replace it with a smaller one",
            "it is too small, I need another size",
            "I would like a different color instead",
            "please send a replacement",
            "can I have the blue one instead",
            "it does not fit, please exchange it for a larger size",
            "you sent the wrong model, please replace it",
            "I would like to change it for another model",
            "one part is broken, I need a replacement",
            "swap it for the new version, please",
            "the shoes are too big, a smaller pair please",
            "I want the same thing in black instead",
            "this is not the version that I ordered, please swap it",
            "the color is not right, I need another",
            "please send the right model",
            "I got the wrong one, can you replace it",
        ),
        (
            "the color is wrong, I would like to swap it",
            "please exchange it, the size does not fit",
            "can you replace it with another model",
            "I need a bigger size instead",
            "it is the wrong version, please send the right one instead",
        ),
    ),
}

FRAMES = (
    "I would like to {action}",
    "I want to {action}",
    "can I {action}",
    "how can I {action}",
    "is it possible to {action}",
    "please help me to {action}",
)
"""Familiar ways to ask for one of `ACTIONS`."""

ACTIONS = {
    "refund": ("get my money back", "get a refund", "return it for a refund", "have the price refunded"),
    "delivery": ("know where my parcel is", "track my package", "find out when it arrives", "get my delivery at last"),
    "cancel": ("cancel it", "cancel the order", "call off the purchase", "stop the order", "withdraw the order"),
    "invoice": ("get an invoice", "have the bill by mail", "download the receipt", "get the VAT number on the bill"),
    "exchange": (
        "exchange it",
        "swap it for another size",
        "change the color",
        "get a replacement",
        "replace the model",
    ),
}

LINES = Phrases(
    (
        "order {o}, total {a}",
        "it is order {o} for {a}",
        "the order number is {o} and I paid {a}",
        "my order is {o}, {a}",
        "{o}, {a}",
        "this is about {o}, which cost {a}",
        "I paid {a} for order {o}",
        "I mean order number {o} of {a}",
        "order no. {o}, amount {a}",
        "it cost {a}, order {o}",
        "number {o}, price {a}",
        "order #{o} over {a}",
        "the total was {a} and the number is {o}",
        "you took {a} for {o}",
        "that is {o}, worth {a}",
        "I ordered it as {o} for {a}",
    ),
    (
        "the number of the order is {o}, the total {a}",
        "it was {a}, number {o}",
        "order {o} cost me {a}",
        "I paid {a}, see order #{o}",
    ),
)

EXTRAS = {
    "date": ("I ordered on {day} March", "it was on the {day}th of June", "that was {day} days ago"),
    "phone": ("you can call me at {phone}", "my phone is {phone}", "call {phone} if needed"),
    "money": (
        "shipping was {money} extra",
        "I also paid {money} for the gift box",
        "the voucher of {money} did not work",
    ),
    "order": ("my other order {other} was fine", "it is not about {other}", "last year I had {other} and all was good"),
}

CONFIRMS = (
    "I have been a customer for years",
    "my daughter was so looking forward to it",
    "your page is a bit hard to use on my phone",
    "we had so much stress this week",
    "I love your shop, really",
    "this is the second time I write",
    "sorry to bother you again",
    "I hope you can help me with this",
    "the weather here is awful, by the way",
    "a friend told me to write to you",
)

OPENINGS = {
    "en": ("Hello,", "Hi team,", "Dear support,", "Good morning,", "Hi,"),
    "de": ("Guten Tag,", "Hallo,", "Liebes Team,", "Guten Morgen,"),
    "fr": ("Bonjour,", "Bonsoir,", "Salut,"),
    "es": ("Hola,", "Buenos días,", "Buenas tardes,"),
}

CLOSINGS = {
    "en": ("", "", "Thanks.", "Kind regards, Ana.", "Best, Tom."),
    "de": ("", "Danke.", "Viele Grüße, Jana.", "Gruß, Ole."),
    "fr": ("", "Merci.", "Cordialement, Luc."),
    "es": ("", "Gracias.", "Un saludo, Eva."),
}

URGENT = ("URGENT:", "Urgent!", "Please hurry:", "ASAP:")
