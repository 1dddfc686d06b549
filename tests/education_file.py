"""A made-up file with the columns of the public education file, the same for the same seed; and mappings."""

import csv
import random
from pathlib import Path
from uuid import UUID

MAPPING = Path(__file__).parent / "data" / "education_mapping.yaml"

# A mapping for files with the columns mail, name and visits.
SMALL = """
empty: [Select]
fields:
  region: {constant: FR}
  contact.email: mail
  contact.first_name: name
  attributes.visits: visits
  consent.text: {constant: Call me.}
  consent.given_at: {instant: import}
"""

# The texts of each column, in the file's order; what is left out here is a number, an id or always No.
CHOICES = {
    "Lead Origin": ["Landing Page Submission", "API", "Lead Add Form", "Lead Import"],
    "Lead Source": ["Google", "google", "Direct Traffic", "Olark Chat", "Reference", "Facebook", "bing", ""],
    "Do Not Email": ["No", "Yes"],
    "Converted": ["0", "1"],
    "Country": ["India", "India", "", "France", "Vietnam", "Hong Kong", "unknown"],
    "Specialization": ["Select", "", "Finance Management", "Banking, Investment And Insurance", "E-COMMERCE"],
    "How did you hear about X Education": ["Select", "", "Online Search", "Word Of Mouth", "SMS"],
    "What is your current occupation": ["Unemployed", "", "Student", "Housewife", "Other"],
    "What matters most to you in choosing a course": ["Better Career Prospects", "", "Other"],
    "Tags": ["", "Ringing", "Closed by Horizzon"],
    "Lead Quality": ["", "Might be", "Worst"],
    "Lead Profile": ["Select", "", "Potential Lead"],
    "City": ["Mumbai", "Select", "", "Thane & Outskirts", "Other Cities", "Tier II Cities"],
    "A free copy of Mastering The Interview": ["No", "Yes"],
}
HEADER = [
    "Prospect ID",
    "Lead Number",
    "Lead Origin",
    "Lead Source",
    "Do Not Email",
    "Do Not Call",
    "Converted",
    "TotalVisits",
    "Total Time Spent on Website",
    "Page Views Per Visit",
    "Last Activity",
    "Country",
    "Specialization",
    "How did you hear about X Education",
    "What is your current occupation",
    "What matters most to you in choosing a course",
    "Search",
    "Magazine",
    "Newspaper Article",
    "X Education Forums",
    "Newspaper",
    "Digital Advertisement",
    "Through Recommendations",
    "Receive More Updates About Our Courses",
    "Tags",
    "Lead Quality",
    "Update me on Supply Chain Content",
    "Get updates on DM Content",
    "Lead Profile",
    "City",
    "Asymmetrique Activity Index",
    "Asymmetrique Profile Index",
    "Asymmetrique Activity Score",
    "Asymmetrique Profile Score",
    "I agree to pay the amount through cheque",
    "A free copy of Mastering The Interview",
    "Last Notable Activity",
]


def make_education_row(dice: random.Random, number: int) -> dict[str, str]:
    """Make one person's row; nobody else has this number."""
    row = {column: dice.choice(CHOICES[column]) if column in CHOICES else "No" for column in HEADER}
    visits = dice.choice(["", "0", "2", "17"])
    pages = {"": "", "0": "0.0"}.get(visits, "2.33")
    return row | {
        "Prospect ID": str(UUID(int=dice.getrandbits(128), version=4)), "Lead Number": str(number),
        "TotalVisits": visits, "Total Time Spent on Website": str(dice.randrange(2000)), "Page Views Per Visit": pages,
    }  # fmt: skip


def make_education_file(path: Path, rows: int, seed: int = 7) -> Path:
    """Write a file of so many rows."""
    dice = random.Random(seed)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, HEADER)
        writer.writeheader()
        writer.writerows(make_education_row(dice, 600_000 + number) for number in range(rows))
    return path
