"""What is read in a reply's text, the short way for acceptances and the long way for all others."""

import pytest

from newsletter.transports.smtp.replies import read


@pytest.mark.parametrize(
    ("code", "text", "found"),
    [
        (250, b"2.0.0 Ok: queued as 4XyZ", ("2.0.0", "Ok: queued as 4XyZ")),
        (250, b"2.0.0   Ok\r", ("2.0.0", "Ok")),
        (250, b"2.0.0", ("2.0.0", "")),
        (250, b"2.0.0\r", ("2.0.0", "")),
        (250, b"2.0.0 \x07\xff Ok", ("2.0.0", "\ufffd Ok")),
        (250, b"2.6.0 taken", ("2.6.0", "taken")),
        (250, b"2.0.00 Ok", ("2.0.00", "Ok")),
        (250, b"Ok", ("", "Ok")),
        # A class that belongs to another code says nothing.
        (550, b"2.0.0 no such user", ("", "2.0.0 no such user")),
        (450, b"2.0.0 later", ("", "2.0.0 later")),
        (354, b"2.0.0 go on", ("", "2.0.0 go on")),
    ],
)
def test_an_enhanced_code_is_read_where_it_belongs(code, text, found):
    assert read((code, text)) == found
