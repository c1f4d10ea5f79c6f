"""From an approved issue to copies that a relay accepted: plan, feed, claim, deliver, recover."""
