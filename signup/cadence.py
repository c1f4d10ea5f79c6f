"""When a reader's rhythm changes, somebody later in the line must plan anew.

Signup does not know who. Whoever does registers a listener in `AppConfig.ready()`; it is called
inside the transaction of the change, with the ids of the subscriptions concerned: those that
became live, or whose cadence, weekday, hour, pause or reader's time zone changed.
"""

from collections.abc import Callable, Sequence

Listener = Callable[[Sequence[int]], None]

_listeners: list[Listener] = []


def on_change(listener: Listener) -> None:
    """Register `listener`; a second time changes nothing."""
    if listener not in _listeners:
        _listeners.append(listener)


def announce(subscription_ids: Sequence[int]) -> None:
    """Tell every listener. Called by signup's verbs only."""
    if subscription_ids:
        for listener in _listeners:
            listener(subscription_ids)
