"""Names of people; each is the same in both languages, or nearly."""

from dataclasses import dataclass

__all__ = ["NAMES", "Name"]


@dataclass(frozen=True)
class Name:
    """A person; `feminine` tells what agrees with the name."""

    english: str
    french: str
    feminine: bool


NAMES = (
    *(Name(name, name, False) for name in ("Paul", "Thomas", "Lucas", "Simon", "Victor", "Adam", "Oscar", "Martin")),
    *(Name(name, name, True) for name in ("Alice", "Emma", "Anne", "Sarah", "Julie", "Laura", "Nina", "Clara")),
    Name("Peter", "Pierre", False),
    Name("Mary", "Marie", True),
    Name("John", "Jean", False),
)
