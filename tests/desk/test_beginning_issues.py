"""An issue that begins with another one, or with a template."""

import pytest
from django.urls import reverse

from newsletter.approval.sign_off import valid_approval
from newsletter.catalogue.models import Condition, Newsletter
from newsletter.desk.models.limits import limit
from newsletter.editions import begin
from newsletter.editions.models import Issue, IssueTemplate
from tests.desk import world
from tests.desk.conftest import client_of


@pytest.fixture
def issue(desk):
    issue = world.issue(desk.newsletter, desk.author, greeting="Dear {first_name|reader},")
    world.approve(issue, desk.reviewer)
    return issue


def test_a_duplicate_is_a_draft_of_its_own_and_nothing_of_it_is_approved(desk, issue):
    world.edit(issue, desk.author, subject="The newest draft's subject")
    answer = client_of(desk.author).post(reverse("desk:duplicate_issue", args=(issue.pk,)))
    made = Issue.objects.get(title="Moving in spring (copy)")
    assert str(made.pk) in answer.url
    assert made.subject == "The newest draft's subject"
    assert made.greeting == issue.greeting
    assert made.slug != issue.slug
    assert not made.live
    assert valid_approval(made) is None
    ids = {block["id"] for block in issue.body.raw_data}
    assert ids.isdisjoint(block["id"] for block in made.latest_revision.as_object().body.raw_data)


def test_an_issue_begins_with_a_template(desk, issue):
    client = client_of(desk.author)
    answer = client.post(reverse("desk:save_template", args=(issue.pk,)), {"name": "Our letter"})
    assert answer.url == reverse("desk:templates")
    assert "Our letter" in client.get(answer.url).content.decode()
    template = IssueTemplate.objects.get()
    client.post(reverse("desk:use_template", args=(template.pk,)))
    made = Issue.objects.get(title="Our letter")
    assert (made.newsletter, made.subject) == (desk.newsletter, issue.subject)
    assert [block.block_type for block in made.body] == ["rich_text"]
    client.post(reverse("desk:use_template", args=(template.pk,)))
    assert Issue.objects.filter(title="Our letter").count() == 2


def test_a_template_of_the_same_name_is_replaced(desk, issue):
    begin.save_as_template(issue=issue, name="Our letter", by=desk.author)
    world.edit(issue, desk.author, subject="Another subject")
    begin.save_as_template(issue=issue, name="Our letter", by=desk.author)
    assert IssueTemplate.objects.get().subject == "Another subject"


def test_a_template_is_deleted_after_asking(desk, issue):
    template = begin.save_as_template(issue=issue, name="Our letter", by=desk.author)
    url = reverse("desk:delete_template", args=(template.pk,))
    client = client_of(desk.author)
    assert client.get(url).status_code == 200
    assert IssueTemplate.objects.exists()
    client.post(url)
    assert not IssueTemplate.objects.exists()


def test_a_template_wants_a_name(desk, issue):
    url = reverse("desk:save_template", args=(issue.pk,))
    assert client_of(desk.author).post(url, {"name": " "}).status_code == 422
    assert not IssueTemplate.objects.exists()


@pytest.mark.parametrize("role", ["reviewer", "sender", "protection"])
def test_only_who_composes_begins_issues(desk, issue, role):
    template = begin.save_as_template(issue=issue, name="Our letter", by=desk.author)
    client = client_of(getattr(desk, role))
    for name, pk in (("duplicate_issue", issue.pk), ("use_template", template.pk)):
        assert client.post(reverse(f"desk:{name}", args=(pk,))).status_code in (302, 403)
    assert Issue.objects.count() == 1


def test_templates_keep_to_the_newsletters_of_who_looks(desk, issue):
    other = world.newsletter(name="Another", slug="another", list_id_label="another")
    template = begin.save_as_template(issue=issue, name="Our letter", by=desk.author)
    limit(
        desk.author,
        newsletters=Newsletter.objects.filter(pk=other.pk),
        conditions=Condition.objects.none(),
    )
    client = client_of(desk.author)
    assert "Our letter" not in client.get(reverse("desk:templates")).content.decode()
    client.post(reverse("desk:use_template", args=(template.pk,)))
    assert Issue.objects.count() == 1


def test_a_test_goes_to_the_seed_list_only_when_asked(desk, issue):
    from newsletter.transports import memory

    memory.outbox.clear()
    Newsletter.objects.update(seed_addresses="one@seeds.example.org\n\ntwo@seeds.example.org")
    client, url = client_of(desk.sender), reverse("desk:test_send", args=(issue.pk,))
    client.post(url, {"to": desk.sender.email})
    assert [one.recipient for one in memory.outbox] == [desk.sender.email]
    memory.outbox.clear()
    client.post(url, {"to": desk.sender.email, "seeds": "on"})
    assert [one.recipient for one in memory.outbox] == [
        desk.sender.email,
        "one@seeds.example.org",
        "two@seeds.example.org",
    ]
    page = client.get(reverse("desk:issue", args=(issue.pk,))).content.decode()
    assert "2 seed addresses" in page


@pytest.mark.parametrize("typed", ["nobody", "\n".join(f"a{n}@example.org" for n in range(11))])
def test_a_seed_list_holds_up_to_ten_addresses(desk, typed):
    from django.core.exceptions import ValidationError

    desk.newsletter.seed_addresses = typed
    with pytest.raises(ValidationError) as error:
        desk.newsletter.full_clean()
    assert "seed_addresses" in error.value.message_dict
