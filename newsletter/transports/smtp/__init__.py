"""SMTP with pipelining: our own state machine on connections that smtplib has made."""

from newsletter.transports.smtp.driver import SmtpTransport

__all__ = ["SmtpTransport"]
