"""What a feed brings becomes drafts: once, about the right conditions, and never live."""

from django.utils import timezone

from newsletter.editions.feeds import take as taking
from newsletter.editions.feeds.entry import Entry
from newsletter.editions.feeds.sanitise import as_blocks
from newsletter.editions.models import Article, Feed, FeedItem, FeedRule, Release
from tests.editions.feeds import world
from tests.editions.feeds.world import item, rss
from tests.web.site import answer

State = FeedItem.State
Where = FeedRule.Where


def states(feed):
    return sorted(feed.items.values_list("title", "state"))


def test_an_entry_becomes_a_draft_that_is_neither_live_nor_released(feed, back, site, fetch):
    site.pages["/feed"] = answer(rss(item()))
    assert fetch(feed).drafted == 1
    article = Article.objects.get()
    assert not article.live
    assert article.first_published_at is None
    assert not article.is_reviewed
    assert not Release.objects.exists()
    assert list(article.conditions.all()) == [back]
    assert (article.title, article.author_name) == ("Walking helps, part 1", "Example Clinic")
    assert article.sources == ("Clinic news: Walking helps, part 1. https://clinic.example/1")
    # What the editor opens is the same.
    newest = article.latest_revision.as_object()
    assert newest.body[0].block_type == "rich_text"
    assert [one.pk for one in newest.conditions.all()] == [back.pk]


def test_headings_become_blocks_and_text_stays_flat():
    blocks = as_blocks(
        "Loose words<h2>First <b>part</b></h2><p>Text.</p><ul><li><p>one</p></li>"
        "<li>two<ul><li>three</li></ul></li></ul><blockquote><p>Said</p></blockquote><p> </p>"
    )
    assert blocks == [
        ("rich_text", "<p>Loose words</p>"),
        ("heading", "First part"),
        (
            "rich_text",
            "<p>Text.</p><ul><li>one</li><li>two</li><li>three</li></ul><p>Said</p>",
        ),
    ]


def test_a_summary_and_a_link_are_all_that_is_taken_where_nobody_agreed_to_more(back, site, fetch):
    feed = world.feed(conditions=[back], take=Feed.Take.SUMMARY)
    site.pages["/feed"] = answer(world.ATOM)
    fetch(feed)
    article = Article.objects.get()
    text = str(article.body[0].value.source)
    assert "Climb slowly." in text
    assert "Hold the" not in text
    assert 'href="http://example.org/knees?utm_source=feed"' in text


def test_the_same_feed_twice_brings_nothing_new(feed, site, fetch):
    site.pages["/feed"] = answer(rss(item(1), item(2)))
    assert fetch(feed).drafted == 2
    assert fetch(feed).drafted == 0
    assert Article.objects.count() == 2


def test_the_same_page_under_another_name_or_from_another_feed_is_taken_once(
    feed, back, site, fetch
):
    site.pages["/feed"] = answer(rss(item(1)))
    fetch(feed)
    site.pages["/feed"] = answer(
        rss(item(1, guid="renamed", link="http://www.clinic.example/1/?utm_source=x"))
    )
    assert fetch(feed).drafted == 0
    other = world.feed(conditions=[back], url="http://example.org/other", name="Other")
    site.pages["/other"] = answer(rss(item(1, guid="theirs", link="https://other.example/copy")))
    assert fetch(other).drafted == 0
    assert [one.state for one in other.items.all()] == [State.DOUBLE]
    # It leads to the one draft there is.
    assert other.items.get().article == Article.objects.get()


def test_a_double_that_is_none_can_be_drafted_by_hand(feed, site, fetch):
    site.pages["/feed"] = answer(rss(item(1)))
    fetch(feed)
    site.pages["/feed"] = answer(rss(item(2, link="https://clinic.example/1")))
    fetch(feed)
    double = feed.items.get(state=State.DOUBLE)
    assert taking.draft(double).title == "Walking helps, part 2"
    assert Article.objects.count() == 2


def test_one_address_for_all_entries_tells_nothing(feed, site, fetch):
    home = "https://clinic.example/"
    site.pages["/feed"] = answer(rss(item(1, link=home), item(2, link=home)))
    assert fetch(feed).drafted == 2


def test_short_titles_that_are_alike_are_not_the_same(feed, site, fetch):
    site.pages["/feed"] = answer(
        rss(item(1, title="News", text="Read on."), item(2, title="News", text="Read on."))
    )
    assert fetch(feed).drafted == 2


def test_a_change_at_the_source_is_told_and_never_written_over_the_draft(feed, site, fetch):
    site.pages["/feed"] = answer(rss(item(1)))
    fetch(feed)
    site.pages["/feed"] = answer(rss(item(1, text="Ten minutes was wrong. Five are enough.")))
    assert fetch(feed).changed == 1
    assert feed.items.get().changed_at is not None
    assert "Number 1" in str(Article.objects.get().body[0].value.source)
    assert Article.objects.get().revisions.count() == 1


def test_rules_find_the_conditions(back, knee, site, fetch):
    feed = world.feed(
        rules=[
            ("knee, arthr*", Where.ANYWHERE, knee),
            ("Spine", Where.CATEGORY, back),
            ("hip", Where.TITLE, back),
        ]
    )
    site.pages["/feed"] = answer(
        rss(
            item(1, title="For your knee"),
            item(2, title="A", text="Life with arthrosis"),
            item(3, title="B", text="Kneeling, shipping and the arthropod"),
            item(4, title="C", category="spine"),
            item(5, title="D", text="the hip"),
            item(6, title="Hip, hip", text="and a knee"),
        )
    )
    assert fetch(feed).drafted == 5
    found = {
        article.title: sorted(each.name for each in article.conditions.all())
        for article in Article.objects.all()
    }
    assert found == {
        "For your knee": ["Knee arthritis"],
        "A": ["Knee arthritis"],
        "B": ["Knee arthritis"],  # arthr* is written so widely
        "C": ["Back pain"],
        "Hip, hip": ["Back pain", "Knee arthritis"],
    }
    assert feed.items.get(title="D").state == State.UNMATCHED


def test_what_fits_no_condition_waits_until_a_rule_does(knee, site, fetch):
    feed = world.feed()
    site.pages["/feed"] = answer(rss(item(1, title="For your knee")))
    assert fetch(feed).drafted == 0
    assert states(feed) == [("For your knee", "unmatched")]
    FeedRule.objects.create(feed=feed, words="knee", where=Where.TITLE, condition=knee)
    # The feed itself has forgotten the entry meanwhile.
    site.pages["/feed"] = answer(rss(item(2)))
    assert fetch(feed).drafted == 1
    article = Article.objects.get()
    assert list(article.conditions.all()) == [knee]
    assert "ten minutes of walking" in str(article.body[0].value.source)


def test_a_feed_may_bring_what_fits_no_condition(site, fetch, db):
    feed = world.feed(only_matching=False)
    site.pages["/feed"] = answer(rss(item(1)))
    assert fetch(feed).drafted == 1
    assert not Article.objects.get().conditions.exists()


def test_a_new_feed_brings_its_newest_only_and_loses_none(feed, site, fetch):
    items = [item(n, date=f"Fri, 20 Nov 2026 {n // 60:02d}:{n % 60:02d}:00 GMT") for n in range(30)]
    site.pages["/feed"] = answer(rss(*items))
    assert fetch(feed).drafted == taking.FIRST_TIME
    older = feed.items.filter(state=State.OLDER)
    assert older.count() == 10
    assert Article.objects.filter(title="Walking helps, part 29").exists()
    assert taking.draft(older.get(title="Walking helps, part 0")).pk


def test_a_draft_that_was_thrown_away_does_not_come_back(feed, site, fetch):
    site.pages["/feed"] = answer(rss(item(1)))
    fetch(feed)
    Article.objects.all().delete()
    assert fetch(feed).drafted == 0
    assert not Article.objects.exists()


def test_slot_marks_and_control_characters_do_not_get_in(feed, site, fetch):
    site.pages["/feed"] = answer(rss(item(1, title="Knee \ue000guide\u0085x\ue001")))
    fetch(feed)
    assert all(ord(letter) < 0xE000 for letter in Article.objects.get().title)


def test_two_workers_take_one_page_once(feed, back, monkeypatch):
    """The second one looked before the first had written: the constraint decides."""
    other = world.feed(conditions=[back], url="http://example.org/other", name="Other")
    entry = Entry(
        "n-1", "https://clinic.example/1", "Title", "Summary", "<p>Text</p>", "", [], timezone.now()
    )
    taking.take(feed, [entry])
    real, looks = taking._double_of, []

    def too_early(*args):
        looks.append(args)
        return None if len(looks) == 1 else real(*args)

    monkeypatch.setattr(taking, "_double_of", too_early)
    taking.take(other, [entry])
    assert Article.objects.count() == 1
    assert other.items.get().state == State.DOUBLE
