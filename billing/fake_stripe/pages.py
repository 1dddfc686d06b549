"""Pages for people: plain HTML without script or style, every value escaped."""

from dataclasses import dataclass
from html import escape

from billing.fake_stripe.cards import CARDS
from billing.fake_stripe.errors import Json

MERCHANT = "Test mode – no real money"  # noqa: RUF001  # a dash, as people set it


@dataclass(frozen=True, slots=True)
class Page:
    """What a browser gets: a page, or with a location the way to another."""

    status: int
    body: str = ""
    location: str | None = None


def page(title: str, *parts: str, status: int = 200) -> Page:
    """Return a page with a title; the parts are HTML."""
    return Page(
        status,
        f"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(title)}</title></head>
<body>
<main>
<p><strong>{escape(MERCHANT)}</strong></p>
<h1>{escape(title)}</h1>
{"".join(parts)}
</main>
</body>
</html>
""",
    )


def see_other(address: str) -> Page:
    """Send a browser on."""
    return Page(303, location=address)


def paragraph(text: str) -> str:
    """Return a paragraph of plain text."""
    return f"<p>{escape(text)}</p>\n"


def alert(text: str | None) -> str:
    """Return what went wrong, if anything did."""
    return f'<p role="alert"><strong>{escape(text)}</strong></p>\n' if text else ""


def link(address: str | None, text: str) -> str:
    """Return a link, if there is somewhere to go."""
    return f'<p><a href="{escape(address)}">{escape(text)}</a></p>\n' if address else ""


def card_form(button: str) -> str:
    """Return the form that asks for a card, and the numbers that it knows."""
    rows = "".join(f"<tr><td>{card.number}</td><td>{escape(card.does)}</td></tr>\n" for card in CARDS.values())
    return f"""<form method="post">
<p><label>Card number
<input name="card_number" inputmode="numeric" autocomplete="off" required value="4242424242424242"></label></p>
<p><button type="submit">{escape(button)}</button></p>
</form>
<table><caption>Test cards</caption>
<thead><tr><th scope="col">Number</th><th scope="col">What it does</th></tr></thead>
<tbody>
{rows}</tbody></table>
"""


def choice_form(name: str, **buttons: str) -> str:
    """Return a form of buttons, each of which sends its value under the same name."""
    made = "".join(
        f'<button type="submit" name="{escape(name)}" value="{escape(value)}">{escape(text)}</button>\n'
        for value, text in buttons.items()
    )
    return f'<form method="post">\n<p>{made}</p>\n</form>\n'


def amount(minor: int, currency: str) -> str:
    """Write an amount as people read it."""
    return f"{minor / 100:,.2f} {currency.upper()}"


def line_items(items: list[Json]) -> str:
    """Return the list of what is paid for."""
    rows = "".join(
        f"<li>{escape(item['description'])}: {item['quantity']} &times; "
        f"{escape(amount(item['price']['unit_amount'], item['currency']))}</li>\n"
        for item in items
    )
    return f"<ul>\n{rows}</ul>\n" if rows else ""
