"""What customers owe, by both services: who is past due, and whether Zoho agrees with FreshBooks to the cent."""
