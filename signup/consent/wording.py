"""The wordings that a new installation starts with.

They are not changed here once they have been shown: a new wording is a new version, a row of
ConsentText. Each stands under 35 words, because it must be read on a phone.
"""

from signup.models import ConsentText

# Without one language nobody could sign up. The others are drafts until data protection approves.
SHIPPED_APPROVED = frozenset({"en"})

FIRST_TEXTS: dict[str, dict[ConsentText.Purpose, str]] = {
    "en": {
        ConsentText.Purpose.MAIL: (
            "Send me what I chose by e-mail. I can stop at any time with one click in any mail."
        ),
        ConsentText.Purpose.HEALTH: (
            "Use the conditions I follow to choose my articles, although they say something about "
            "my health. A safety alert may come at once, on any day."
        ),
        ConsentText.Purpose.MEASUREMENT: (
            "Note which articles I open from my mails, to make them better. "
            "You get the same mails if you say no."
        ),
    },
    "es": {
        ConsentText.Purpose.MAIL: (
            "Envíenme por correo electrónico lo que he elegido. Puedo dejarlo cuando quiera, "
            "con un clic en cualquiera de los correos."
        ),
        ConsentText.Purpose.HEALTH: (
            "Usen los temas de salud que sigo para elegir mis artículos, aunque digan algo sobre "
            "mi salud. Un aviso de seguridad puede llegar de inmediato, cualquier día."
        ),
        ConsentText.Purpose.MEASUREMENT: (
            "Anoten qué artículos abro desde mis correos, para mejorarlos. "
            "Si digo que no, recibo los mismos correos."
        ),
    },
}
