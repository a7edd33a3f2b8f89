"""All of identity over one database: people, logins, links, keys, projects, the audit record."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

from boxscore.governance.audit import Audit
from boxscore.governance.keys import Keys
from boxscore.governance.links import Links
from boxscore.governance.logins import Logins
from boxscore.governance.projects import Projects
from boxscore.governance.roster import RosterOf
from boxscore.governance.users import Users
from boxscore.store.records.backend import Database
from boxscore.store.records.identity import Identity

__all__ = ["People"]


class People:
    """For threads. `roster.forget()` after a change lets this process see it at once."""

    def __init__(
        self,
        database: Database,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        store = Identity(database)
        self.clock = clock
        self.monotonic = monotonic
        self.users = Users(store, clock)
        self.logins = Logins(store, clock)
        self.links = Links(store, self.users, clock)
        self.keys = Keys(store, clock)
        self.projects = Projects(store, clock)
        self.audit = Audit(store, clock)
        self.roster = RosterOf(store, self.logins, clock, monotonic)
