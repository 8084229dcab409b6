"""A firm with a history: eight months of a small studio's books, always the same, up to the day of the sandbox's clock.

Every status that invoices can have is in it, two currencies, two clients of the same name, names beyond ASCII,
archived and deleted records, discounts and taxes, part payments, an overpayment, disputes and forgotten drafts. All
companies and people are made up.
"""

from __future__ import annotations

import random
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sandbox import Sandbox
    from sandbox.freshbooks import FreshBooks

INVOICES = 150
DAYS = 240

_CLIENTS = (
    # organization, first name, last name, city, country, currency
    ("Alder & Finch Bakery", "Maya", "Finch", "Toronto", "Canada", "USD"),
    ("Ampersand Letterpress", "Oscar", "Lind", "Portland", "United States", "USD"),
    ("Atelier Brûlé", "Chloé", "Marchand", "Lyon", "France", "EUR"),
    ("Basalt Climbing Hall", "Tom", "Okafor", "Leeds", "United Kingdom", "USD"),
    ("Birchwood Veterinary Clinic", "Priya", "Nair", "Ottawa", "Canada", "USD"),
    ("Blue Heron Kayaks", "Sam", "Whitlock", "Halifax", "Canada", "USD"),
    ("Brasserie L'Œuf", "Étienne", "Giraud", "Paris", "France", "EUR"),
    ("Café São João", "Inês", "Tavares", "Porto", "Portugal", "EUR"),
    ("Cedar Lane Dental", "Ruth", "Adeyemi", "Hamilton", "Canada", "USD"),
    ("Copper Kettle Tea Rooms", "Fiona", "Muir", "Edinburgh", "United Kingdom", "USD"),
    ("Driftwood Yoga", "Lena", "Brandt", "Hamburg", "Germany", "EUR"),
    ("Eastgate Plumbing", "Carl", "Novak", "Buffalo", "United States", "USD"),
    ("Fern & Bracken Florists", "Aisha", "Rahman", "London", "United Kingdom", "USD"),
    ("Fjällhöjd Guides", "Åsa", "Öberg", "Östersund", "Sweden", "EUR"),
    ("Granite Peak Roofing", "Dale", "Huang", "Denver", "United States", "USD"),
    ("Harbour Lights", "Nora", "Quinn", "Halifax", "Canada", "USD"),
    ("Harbour Lights", "Victor", "Salas", "Valencia", "Spain", "EUR"),
    ("Hazel Grove Nursery", "Beth", "Carver", "Kingston", "Canada", "USD"),
    ("Ironbridge Cycles", "Gareth", "Pugh", "Telford", "United Kingdom", "USD"),
    ("Juniper Street Books", "Ellen", "Sato", "Seattle", "United States", "USD"),
    ("Kestrel Aerial Surveys", "Ian", "Mbeki", "Calgary", "Canada", "USD"),
    ("Lantern Hill Cinema", "Grace", "Olsen", "Vancouver", "Canada", "USD"),
    ("Lumen Optik", "Jürgen", "Weiß", "München", "Germany", "EUR"),
    ("Maple & Main Realty", "Owen", "Park", "Toronto", "Canada", "USD"),
    ("Møller & Søn", "Søren", "Møller", "Aarhus", "Denmark", "EUR"),
    ("North Shore Physio", "Dana", "Kim", "Chicago", "United States", "USD"),
    ("Old Mill Woodworks", "Peter", "Zeman", "Kitchener", "Canada", "USD"),
    ("Orchard Row School", "Helen", "Baptiste", "Montréal", "Canada", "USD"),
    ("Pebble Beach Surf School", "Kai", "Nakamura", "Tofino", "Canada", "USD"),
    ("Quarry Bank Archive", "Judith", "Stone", "Manchester", "United Kingdom", "USD"),
    ("Redwood Robotics", "Anil", "Desai", "San Jose", "United States", "USD"),
    ("Saltmarsh Ecology", "Freya", "Holt", "Norwich", "United Kingdom", "USD"),
    ("Silverbirch Accountants", "Martin", "Keane", "Dublin", "Ireland", "EUR"),
    ("Tidewater Sailmakers", "Rosa", "Alves", "Lisboa", "Portugal", "EUR"),
    ("Umbra Lichtplanung", "Katrin", "Vogel", "Wien", "Austria", "EUR"),
    ("Violet Hour Studio", "Sasha", "Petrov", "Brooklyn", "United States", "USD"),
    ("Willow Creek Farm", "Joan", "Lefebvre", "Guelph", "Canada", "USD"),
    ("Żółta Kawiarnia", "Łucja", "Wiśniewska", "Kraków", "Poland", "EUR"),
    ("東雲デザイン", "葵", "高橋", "東京", "Japan", "USD"),
    ("", "Robin", "Ashdown", "Bristol", "United Kingdom", "USD"),
)
_WORK = (
    ("Brand identity", "Logo, colours and type", "1450.00"),
    ("Web design", "Templates for the new site", "95.00"),
    ("Web development", "Implementation", "110.00"),
    ("Copywriting", "Texts in two languages", "72.50"),
    ("Photography", "Half a day on location", "480.00"),
    ("Print", "Leaflets, 500 copies", "0.38"),
    ("Hosting", "One month", "29.90"),
    ("Support", "Retainer, one month", "250.00"),
)
_TYPES = ("Bank Transfer", "Bank Transfer", "Credit Card", "Check", "PayPal", "Cash")


class _History:
    """What happens to the firm, put down first and then done in the order of time."""

    def __init__(self, books: FreshBooks, now: datetime) -> None:
        self.books = books
        self._midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        self._random = random.Random(2023)  # noqa: S311
        self._events: list[tuple[datetime, int, Callable[[], Any]]] = []
        self.clients: list[int] = []
        self.invoices: dict[int, dict[str, Any]] = {}
        self.payments: dict[int, dict[str, Any]] = {}

    def plan(self, days_ago: float, event: Callable[[], Any]) -> None:
        """Let something happen so many days ago."""
        moment = self._midnight - timedelta(days=days_ago) + timedelta(microseconds=len(self._events))
        self._events.append((moment, len(self._events), event))

    def happen(self) -> None:
        """Do all of it."""
        for moment, _, event in sorted(self._events, key=lambda entry: entry[:2]):
            with self.books.at(moment):
                event()

    def add_clients(self) -> None:
        """Take up the clients, most of them before the first invoice."""
        for number, person in enumerate(_CLIENTS):
            self.plan(DAYS + 5 - number / 20, partial(self._add_client, number, *person))

    def _add_client(self, number: int, *person: str) -> None:
        organization, fname, lname, city, country, currency = person
        client = self.books.create_client(
            organization=organization,
            fname=fname,
            lname=lname,
            email=f"client{number + 1:02}@example.com",
            bus_phone=f"+1 555 01{number + 10:02}",
            p_street=f"{12 + number * 3} Station Road",
            p_city=city,
            p_country=country,
            p_code=f"{10000 + number * 37}",
            currency_code=currency,
        )
        self.clients.append(client["id"])

    def add_invoice(self, number: int) -> None:
        """Bill a client, and let it pay or not."""
        chance = self._random.random
        age = DAYS - 2 - number * (DAYS - 4) / INVOICES - chance() / 2
        terms = self._random.choice((14, 14, 30))
        draft = number % 15 == 14  # noqa: PLR2004
        client = self._random.randrange(len(_CLIENTS) - 4)
        values: dict[str, Any] = {"lines": self._lines(number), "due_offset_days": terms}
        if number % 12 == 5:  # noqa: PLR2004
            values["discount_value"] = "10"
        if not draft:
            values["action_mark_as_sent"] = True
        self.plan(age, lambda: self._bill(number, client, values))
        if draft:
            return
        if number % 4 == 1:
            self.plan(age - 0.6, lambda: self.books.view_invoice(self.invoices[number]["id"]))
        habit, delay = chance(), self._random.uniform(2, terms + 12)
        if age - delay < 1:
            return
        if habit < 0.66:  # noqa: PLR2004
            self.plan(age - delay, lambda: self._pay(number, Decimal(1)))
        elif habit < 0.77:  # noqa: PLR2004
            self.plan(age - delay / 2, lambda: self._pay(number, Decimal("0.4")))
            self.plan(age - delay, lambda: self._pay(number, Decimal(1)))
        elif habit < 0.84:  # noqa: PLR2004
            self.plan(age - delay, lambda: self._pay(number, Decimal("0.5")))

    def _lines(self, number: int) -> list[dict[str, Any]]:
        lines = []
        for name, description, price in self._random.sample(_WORK, self._random.randint(1, 3)):
            qty = self._random.choice(("1", "2", "4", "7.5", "12")) if price != "0.38" else "500"
            line = {"name": name, "description": description, "qty": qty, "unit_cost": {"amount": price}}
            if number % 5 == 2:  # noqa: PLR2004
                line |= {"taxName1": "HST", "taxAmount1": "13"}
            lines.append(line)
        return lines

    def _bill(self, number: int, client: int, values: dict[str, Any]) -> None:
        self.invoices[number] = self.books.create_invoice(self.clients[client], **values)

    def _pay(self, number: int, share: Decimal) -> None:
        """Pay a share of what is outstanding."""
        outstanding = self.books.record("invoices", self.invoices[number]["id"])["outstanding"]
        amount = (Decimal(outstanding["amount"]) * share).quantize(Decimal("0.01"))
        kind = self._random.choice(_TYPES)
        paid = self.books.create_payment(self.invoices[number]["id"], {**outstanding, "amount": amount}, type=kind)
        self.payments[len(self.payments)] = paid

    def add_oddities(self) -> None:
        """Do what does not happen every week."""
        books = self.books

        def unpaid(count: int) -> list[int]:
            rows = (books.record("invoices", invoice["id"]) for _, invoice in sorted(self.invoices.items()))
            return [row["id"] for row in rows if row["payment_status"] == "unpaid" and row["status"] > 1][:count]

        def overpay() -> None:
            row = books.record("invoices", unpaid(1)[0])
            books.create_payment(row["id"], Decimal(row["outstanding"]["amount"]) + 100, type="Bank Transfer")

        def pay_half_of_the_latest() -> None:
            for number in unpaid(len(self.invoices))[-2:]:
                row = books.record("invoices", number)
                books.create_payment(number, Decimal(row["outstanding"]["amount"]) // 2, type="Check")

        def zero() -> None:
            lines = [{"name": "Goodwill", "description": "Free of charge", "qty": "1", "unit_cost": {"amount": "0.00"}}]
            books.create_invoice(self.clients[20], lines, action_mark_as_sent=True)

        self.plan(40, zero)
        self.plan(1.9, overpay)
        self.plan(1.85, pay_half_of_the_latest)
        self.plan(1.8, lambda: books.dispute_invoice(unpaid(2)[1]))
        self.plan(1.7, lambda: books.dispute_invoice(unpaid(3)[2]))
        self.plan(1.6, lambda: books.update_client(self.clients[3], bus_phone="+1 555 0199", note="Prefers e-mail"))
        self.plan(1.5, lambda: books.archive("clients", self.clients[-1]))
        self.plan(1.5, lambda: books.archive("clients", self.clients[-2]))
        self.plan(1.4, lambda: books.delete_client(self.clients[-3]))
        self.plan(1.3, lambda: books.delete_payment(self.payments[10]["id"]))
        self.plan(1.3, lambda: books.delete_payment(self.payments[25]["id"]))
        self.plan(1.2, lambda: books.delete_invoice(self.invoices[14]["id"]))
        self.plan(1.2, lambda: books.delete_invoice(self.invoices[33]["id"]))
        self.plan(1.1, lambda: books.archive("invoices", self.invoices[0]["id"]))


def load_firm(box: Sandbox) -> None:
    """Fill the first business of a sandbox's FreshBooks with the firm's books."""
    history = _History(box.freshbooks, box.clock.now())
    history.add_clients()
    for number in range(INVOICES - 1):
        history.add_invoice(number)
    history.add_oddities()
    history.happen()
