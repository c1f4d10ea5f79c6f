"""Readers from a file: tried out first, never against their will, and told at once."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from newsletter.audience.eligibility import check
from newsletter.audience.explain import why
from newsletter.audience.reasons import Reason
from newsletter.audience.recipients import recipients
from newsletter.desk.models import AccessEntry
from newsletter.transports.values import Outcome as Fared
from newsletter.transports.values import Receipt
from signup import consent, mail, unsubscribe
from signup.confirm import confirm
from signup.consent import importing
from signup.consent.importing import BadFile, Fate, Outcome, run
from signup.mail import send_system_mail, sweep
from signup.models import ConsentEntry, SignUp, Subscriber, Subscription, Suppression, SystemMail
from signup.suppress import suppress
from tests.desk import world
from tests.signup.conftest import Catalogue
from tests.signup.mailed import dump, link_in, sent, urls_in

HEAD = "address,basis,date,evidence,where,language\n"
Asking = Callable[..., SystemMail | None]


def day(ago: int = 30) -> str:
    return (timezone.localdate() - timedelta(days=ago)).isoformat()


def line(address: str, basis: str = "imported", **cells: str) -> str:
    values = {
        "date": day(),
        "evidence": "form 12 in the archive",
        "where": "the open day at Lakeside Clinic",
        "language": "en",
        **cells,
    }
    return ",".join([address, basis, *values.values()]) + "\n"


def taken_in(catalogue: Catalogue, text: str) -> list[Outcome]:
    return run(
        text=HEAD + text, newsletter=catalogue.living_well, by="account 1", dry=False
    ).outcomes


def test_a_dry_run_says_what_would_happen_and_writes_nothing(catalogue: Catalogue) -> None:
    before = dump()
    text = HEAD + line("ada@example.org") + line("bob@example.org", "soft_opt_in") + line("no mail")
    report = run(text=text, newsletter=catalogue.living_well, by="account 1")
    assert [outcome.fate for outcome in report.outcomes] == [Fate.TAKEN, Fate.TAKEN, Fate.REFUSED]
    assert [outcome.line for outcome in report.outcomes] == [2, 3, 4]
    assert {table: rows for table, rows in dump().items() if table != "sqlite_sequence"} == {
        table: rows for table, rows in before.items() if table != "sqlite_sequence"
    }


def test_what_is_taken_in_is_live_on_its_own_basis_with_its_evidence(catalogue: Catalogue) -> None:
    taken_in(catalogue, line("Ada@Example.org") + line("bob@example.org", "soft_opt_in"))
    ada, bob = Subscription.objects.order_by("pk").select_related("consent")
    assert ada.state == bob.state == "live"
    assert ada.consent is not None and bob.consent is not None
    assert (ada.consent.action, bob.consent.action) == ("imported", "soft_opt_in")
    assert "form 12 in the archive" in ada.consent.evidence
    assert "recorded by account 1" in ada.consent.evidence
    assert consent.verify() == []


def test_nobody_is_taken_in_silently(catalogue: Catalogue) -> None:
    taken_in(catalogue, line("ada@example.org"))
    note = sent(SystemMail.objects.get())
    words = note.content.decode()
    assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click" in words
    readable = words.replace("=\r\n", "")
    assert "the open day at Lakeside Clinic" in readable
    assert "You agreed to it on" in readable
    assert "ada@example.org" not in words.partition("\r\n\r\n")[2]
    assert any("/withdraw/" in url for url in urls_in(note.content))
    one_click = {"List-Unsubscribe": "One-Click"}
    link = link_in(note.content, "/unsubscribe/")
    assert Client().post(link, one_click).status_code == 200
    assert Subscription.objects.get().state == "ended"


def test_no_issue_reaches_a_reader_before_the_note_did(catalogue: Catalogue) -> None:
    """Planned in the minutes between: whoever does not know yet why we write is left out."""
    taken_in(catalogue, line("ada@example.org"))
    ada = Subscriber.objects.get()
    letter = catalogue.living_well
    assert not recipients(letter).exists()
    assert check(newsletter=letter, subscriber_ids=[ada.pk]) == {ada.pk: Reason.NOT_TOLD}
    assert "not accepted yet" in why(newsletter=letter, subscriber=ada)
    sent(SystemMail.objects.get())
    assert [one.subscriber_id for one in recipients(letter)] == [ada.pk]
    assert check(newsletter=letter, subscriber_ids=[ada.pk]) == {ada.pk: None}


def test_who_could_not_be_told_is_never_mailed(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken_in(catalogue, line("ada@example.org"))
    note = SystemMail.objects.get()
    refused = Receipt(Fared.PERMANENT, code=550, enhanced="5.7.1", reply="no")
    monkeypatch.setattr(mail, "_hand_over", lambda envelope, *, health: refused)
    send_system_mail(note.pk)
    note.refresh_from_db()
    assert note.state == "refused"
    with time_machine.travel(timezone.now() + timedelta(days=40)):
        sweep()
        assert not recipients(catalogue.living_well).exists()


def test_who_confirms_by_themselves_needs_no_note(catalogue: Catalogue, ask: Asking) -> None:
    taken_in(catalogue, line("ada@example.org"))
    ask("ada@example.org", newsletters=[catalogue.living_well])
    confirm(sign_up=SignUp.objects.get())
    assert recipients(catalogue.living_well).count() == 1


def test_the_note_about_a_sale_says_that_it_was_one(catalogue: Catalogue) -> None:
    taken_in(catalogue, line("ada@example.org", "soft_opt_in", language="es"))
    words = sent(SystemMail.objects.get()).content.decode()
    assert "Por qu" in words
    assert "form 12" not in words, "what was bought is nobody's business on the way"


def test_the_note_is_not_sent_to_who_has_left_before_it(catalogue: Catalogue) -> None:
    taken_in(catalogue, line("ada@example.org"))
    unsubscribe.end(
        subscription=Subscription.objects.get(),
        reason=Subscription.EndedReason.UNSUBSCRIBED,
        method=ConsentEntry.Method.LINK,
    )
    mail = SystemMail.objects.get()
    send_system_mail(mail.pk)
    mail.refresh_from_db()
    assert mail.state == "expired"


def test_notes_leave_few_at_a_time_so_that_confirmations_do_not_wait(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "NOTICES_AT_ONCE", 2)
    taken_in(catalogue, "".join(line(f"reader{number}@example.org") for number in range(5)))
    assert len(sweep()) == 2


def test_a_suppression_stands(catalogue: Catalogue) -> None:
    suppress(address_key="ada@example.org", reason=Suppression.Reason.COMPLAINT, source="test")
    [outcome] = taken_in(catalogue, line("ADA@example.org"))
    assert outcome.fate is Fate.REFUSED
    assert "must not be mailed" in outcome.why
    assert Suppression.objects.count() == 1
    assert not Subscriber.objects.exists() and not SystemMail.objects.exists()


def test_who_has_left_stays_away(catalogue: Catalogue, reader: Subscriber) -> None:
    subscription = Subscription.objects.get(subscriber=reader, newsletter=catalogue.living_well)
    unsubscribe.end(
        subscription=subscription,
        reason=Subscription.EndedReason.ONE_CLICK,
        method=ConsentEntry.Method.ONE_CLICK,
    )
    before = dump()
    [outcome] = taken_in(catalogue, line("ada@example.org"))
    assert outcome.fate is Fate.REFUSED and "has left" in outcome.why
    assert dump() == before


def test_who_is_live_keeps_the_consent_that_they_gave(
    catalogue: Catalogue, reader: Subscriber
) -> None:
    before = dump()
    assert taken_in(catalogue, line("ada@example.org")) == [Outcome(2, Fate.ALREADY)]
    assert dump() == before


def test_what_tells_of_health_is_never_imported(catalogue: Catalogue) -> None:
    report = run(
        text=HEAD + line("ada@example.org"), newsletter=catalogue.digest, by="x", dry=False
    )
    assert report.outcomes[0].fate is Fate.REFUSED
    assert "health" in report.outcomes[0].why
    assert not Subscriber.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "because"),
    [
        (line("ada@example.org", "consent"), "imported or soft_opt_in"),
        (line("ada@example.org", evidence=""), "evidence"),
        (line("ada@example.org", where=""), "evidence"),
        (line("ada@example.org", date="31.3.2026"), "2026-03-31"),
        (line("ada@example.org", date=day(ago=-2)), "future"),
        (line("ada@example.org", date=day(ago=800)), "two years"),
        (line("ada@example.org", language="tlh"), "language"),
        (line("info@example.org"), "no one person's"),
        (line("ada@@example.org"), ""),
        ("ada@example.org\n", "basis"),
    ],
)
def test_a_line_that_will_not_do_is_refused_by_itself(
    catalogue: Catalogue, wrong: str, because: str
) -> None:
    outcomes = taken_in(catalogue, wrong + line("bob@example.org"))
    if because != "":
        assert because in outcomes[0].why or because == "basis"
    assert [outcome.fate for outcome in outcomes] == [Fate.REFUSED, Fate.TAKEN]
    assert "ada" not in outcomes[0].why and "info@" not in outcomes[0].why
    assert [reader.email_key for reader in Subscriber.objects.all()] == ["bob@example.org"]


def test_one_address_twice_is_taken_in_once(catalogue: Catalogue) -> None:
    fates = [o.fate for o in taken_in(catalogue, line("ada@example.org") + line("ADA@example.org"))]
    assert fates == [Fate.TAKEN, Fate.REFUSED]
    assert SystemMail.objects.count() == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "address,basis\nada@example.org,imported\n",
        "address,basis,date,evidence,where,diagnosis\n",
        "address,address,basis,date,evidence,where\n",
        HEAD + '"ada\n',
        HEAD + "\0",
        HEAD + "x\n" * (importing.MOST_LINES + 1),
        HEAD + "x" * importing.MOST_OCTETS,
    ],
)
def test_a_file_that_cannot_be_meant_is_refused_whole(catalogue: Catalogue, text: str) -> None:
    with pytest.raises(BadFile):
        run(text=text, newsletter=catalogue.living_well, by="x", dry=False)
    assert not Subscriber.objects.exists()


# --- The command ----------------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "readers.csv"
    path.write_text("\ufeff" + HEAD + line("ada@example.org") + line("info@example.org"))
    return path


def command(file: Path, *more: str, by: str = "protection") -> None:
    call_command(
        "import_readers", file, "--newsletter", "living-well", "--by", by,
        "--reason", "The clinic's paper forms", *more,
    )  # fmt: skip


def test_the_command_tries_out_first(
    catalogue: Catalogue, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world.staff("protection")
    command(file)
    said = capsys.readouterr().out
    assert "line 2: taken in" in said
    assert "nothing was written" in said
    assert "ada" not in said
    assert not Subscriber.objects.exists() and not AccessEntry.objects.exists()


def test_the_command_does_it_and_writes_it_down(catalogue: Catalogue, file: Path) -> None:
    user = world.staff("protection")
    command(file, "--really")
    assert Subscription.objects.get().state == "live"
    entry = AccessEntry.objects.get()
    assert (entry.action, entry.actor_id) == ("imported", user.pk)
    assert entry.detail == "newsletter living-well"


@pytest.mark.parametrize("by", ["author", "admin", "nobody"])
def test_the_command_needs_an_account_that_may(catalogue: Catalogue, file: Path, by: str) -> None:
    if by != "nobody":
        world.staff(by)
    with pytest.raises(CommandError):
        command(file, "--really", by=by)
    assert not Subscriber.objects.exists() and not AccessEntry.objects.exists()
