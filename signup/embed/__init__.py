"""Sign-up forms that stand on other web sites (docs/embedding.md).

`signup.models.EmbedForm` says what a form offers and where it may lead back to; here is what
follows from that: its offer of today, its address, its HTML. The same guard looks at what comes in.
"""
