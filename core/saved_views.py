"""Filters of lists that a person keeps under names: each person's own, at most so many a list."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Text, UniqueConstraint, func, select
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Model, db
from core.errors import Fault, Invalid, NotFound
from core.ids import new_id

MOST_VIEWS = 20  # of one person on one list
LONGEST_NAME = 60
LONGEST_QUERY = 1000


class SavedView(Model):
    """A list's filters as a query string, under the name that its owner gave them."""

    __tablename__ = "saved_views"
    __table_args__ = (
        CheckConstraint("char_length(name) BETWEEN 1 AND 60"),
        CheckConstraint("char_length(query) BETWEEN 1 AND 1000"),
        UniqueConstraint("user_id", "list", "name", name="saved_views_name_key"),
        {"schema": "core"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("core.users.id"))
    list: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    query: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


def views_of(user_id: UUID, of_list: str) -> list[SavedView]:
    """Return what a person keeps of a list, the oldest first."""
    mine = select(SavedView).where(SavedView.user_id == user_id, SavedView.list == of_list)
    return list(db.session.scalars(mine.order_by(SavedView.id).limit(MOST_VIEWS)))


def keep_view(user_id: UUID, of_list: str, name: str, query: str, at: datetime) -> SavedView:
    """Keep a list's filters under a name; Invalid for a name or filters that cannot be kept, or when there are enough.

    Two at once come one after the other until their commit, so neither the name is doubled nor the number passed.
    """
    name = " ".join(name.split())
    db.session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"views:{user_id}:{of_list}", 0))))
    present = views_of(user_id, of_list)
    faults = [*_name_faults(name, {one.name for one in present}), *_query_faults(query)]
    if len(present) >= MOST_VIEWS:
        faults.append(Fault("name", "too_many", f"You keep {MOST_VIEWS} of this list already. Delete one first."))
    if faults:
        raise Invalid("invalid_view", "These filters cannot be kept so.", faults)
    view = SavedView(id=new_id(), user_id=user_id, list=of_list, name=name, query=query, created_at=at)
    db.session.add(view)
    db.session.flush()
    return view


def delete_view(user_id: UUID, view_id: UUID) -> str:
    """Delete one of a person's own and return whose list it was; NotFound otherwise."""
    view = db.session.get(SavedView, view_id, with_for_update=True)
    if view is None or view.user_id != user_id:
        raise NotFound(detail="You keep no filters with this id.")
    of_list = view.list
    db.session.delete(view)
    db.session.flush()
    return of_list


def _name_faults(name: str, taken: set[str]) -> list[Fault]:
    if not name:
        return [Fault("name", "missing", "Give the filters a name.")]
    if len(name) > LONGEST_NAME:
        return [Fault("name", "too_long", f"Give a name of at most {LONGEST_NAME} letters.")]
    if "\0" in name:
        return [Fault("name", "nul_character", "Remove the NUL character.")]
    if name in taken:
        return [Fault("name", "name_taken", "You keep other filters under this name. Choose another one.")]
    return []


def _query_faults(query: str) -> list[Fault]:
    if not query or "\0" in query:
        return [Fault("query", "missing", "Narrow the list before you keep its filters.")]
    if len(query) > LONGEST_QUERY:
        return [Fault("query", "too_long", f"Narrow by less: the filters take more than {LONGEST_QUERY} letters.")]
    return []
