"""Reading age and hard sentences, in English and in Spanish."""

import pytest

from newsletter.approval import reading
from newsletter.approval.reading import english, spanish

PLAIN = (
    "Walk a little each day. Start with five minutes. Rest when you need to. Your back will thank "
    "you. Sit up when you read. Drink some water. Call your nurse if the pain gets worse. "
) * 3
DENSE = (
    "Conservative management of lumbar radiculopathy incorporates multidisciplinary therapy, "
    "pharmacological analgesia and psychological interventions addressing catastrophisation, "
    "although heterogeneous methodological approaches considerably complicate interpretation. "
) * 4
LLANO = (
    "Camina un poco cada día. Empieza con cinco minutos. Descansa si lo pide el cuerpo. Bebe agua. "
    "Llama a tu médico si el dolor va a más. Come bien y duerme lo que puedas. "
) * 3
DENSO = (
    "La rehabilitación multidisciplinar de la radiculopatía lumbosacra incorpora intervenciones "
    "farmacológicas y psicoterapéuticas cuya heterogeneidad metodológica dificulta "
    "considerablemente la interpretación de los resultados epidemiológicos publicados. "
) * 4


@pytest.mark.parametrize(("text", "language"), [(PLAIN, "en"), (LLANO, "es")])
def test_plain_text_is_easy(text, language):
    found = reading.measure(text, language)
    assert found.age is not None and found.age <= 12
    assert found.hard == () and not found.is_hard


@pytest.mark.parametrize(("text", "language"), [(DENSE, "en"), (DENSO, "es-MX")])
def test_dense_text_is_hard_and_its_sentences_are_named(text, language):
    found = reading.measure(text, language)
    assert found.is_hard
    assert len(found.hard) == 4


def test_the_published_formula_is_kept():
    # Kincaid's: 0.39 words a sentence + 11.8 syllables a word - 15.59, here plus 5 years.
    assert english.age(10, 1.5) == pytest.approx(0.39 * 10 + 11.8 * 1.5 - 15.59 + 5)
    assert spanish.perspicuity(10, 2) == pytest.approx(206.835 - 62.3 * 2 - 10)


@pytest.mark.parametrize(("score", "age"), [(80, 10), (65, 12), (55, 14), (40, 17), (0, 20)])
def test_the_bands_of_inflesz_meet_at_their_edges(score, age):
    assert spanish.age(206.835 - score, 0) == pytest.approx(age)


@pytest.mark.parametrize(
    ("word", "count"),
    [
        ("cat", 1),
        ("walking", 2),
        ("medicine", 3),
        ("inflammation", 4),
        ("helped", 1),
        ("area", 3),
        ("people", 2),
        ("table", 2),
        ("disease", 2),
    ],
)
def test_english_syllables(word, count):
    assert english.syllables(word) == count


@pytest.mark.parametrize(
    ("word", "count"),
    [
        ("salud", 2),
        ("corazón", 3),
        ("día", 2),
        ("aire", 2),
        ("quien", 1),
        ("guerra", 2),
        ("país", 2),
        ("poeta", 3),
        ("muy", 1),
        ("rey", 1),
        ("enfermedad", 4),
        ("pingüino", 3),
    ],
)
def test_spanish_syllables(word, count):
    assert spanish.syllables(word) == count


def test_short_text_gets_no_age_and_still_its_long_sentences():
    sentence = "word " * 26 + "end."
    found = reading.measure(sentence, "en")
    assert found.age is None
    assert len(found.hard) == 1


def test_a_language_without_a_formula_gets_its_long_sentences():
    found = reading.measure(("Wort " * 30 + ". ") * 3, "de")
    assert found.age is None and len(found.hard) == 3


def test_a_title_ends_no_sentence():
    text = "Ask Dr. Okafor about e.g. walking. Then rest."
    assert len(reading.measure(text, "en").hard) == 0
    from newsletter.approval.reading.measure import _sentences

    assert _sentences(text) == ["Ask Dr. Okafor about e.g. walking.", "Then rest."]
