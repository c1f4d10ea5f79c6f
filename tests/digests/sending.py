"""Everything that is planned goes out, by the way in that its mailing asks for."""

from newsletter.sending.claim import claim
from newsletter.sending.deliver import deliver
from newsletter.sending.feed import feed
from newsletter.transports.select import bulk_transport


def send_everything():
    while fed := feed():
        for batch in fed:
            claimed = claim(batch, "test")
            assert claimed is not None
            deliver(claimed, bulk_transport(health=claimed.mailing.is_health_data))
