"""A caller of Zoho's API over real HTTP, with nothing of the product in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import requests

if TYPE_CHECKING:
    from sandbox import Sandbox


class ZohoApi:
    """Calls the sandbox's Zoho with a token of its own."""

    def __init__(self, box: Sandbox, scopes: list[str] | None = None, data_centre: str = "us") -> None:
        self.box = box
        self.centre = box.zoho.data_centres[data_centre]
        self.refresh_token = box.zoho.grant(scopes, data_centre)
        self.session = requests.Session()
        self.authorize()

    def token(self, **form: str) -> requests.Response:
        """Post to the token endpoint."""
        app = self.box.zoho.app
        form = {"client_id": app.client_id, "client_secret": app.client_secret, **form}
        return self.session.post(f"{self.centre.accounts_url}/oauth/v2/token", data=form)

    def refresh(self) -> requests.Response:
        return self.token(grant_type="refresh_token", refresh_token=self.refresh_token)

    def authorize(self) -> dict[str, Any]:
        """Take a fresh access token."""
        answer = self.refresh().json()
        self.session.headers["Authorization"] = f"Zoho-oauthtoken {answer['access_token']}"
        self.domain = answer["api_domain"]
        return answer

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        return self.session.request(method, f"{self.domain}/crm/v8/{path}", **options)

    def get(self, path: str, **params: Any) -> requests.Response:
        return self.call("GET", path, params=params)

    def post(self, path: str, body: Any = None, **options: Any) -> requests.Response:
        return self.call("POST", path, json=body, **options)

    def upsert(self, module: str, *rows: Any, by: list[str] | None = None, **more: Any) -> requests.Response:
        body = {"data": list(rows), **({"duplicate_check_fields": by} if by is not None else {}), **more}
        return self.post(f"{module}/upsert", body)

    def insert(self, module: str, *rows: Any, **more: Any) -> requests.Response:
        return self.post(module, {"data": list(rows), **more})

    def update(self, module: str, *rows: Any, headers: dict[str, str] | None = None, **more: Any) -> requests.Response:
        return self.call("PUT", module, json={"data": list(rows), **more}, headers=headers)

    def coql(self, query: str, **more: Any) -> requests.Response:
        return self.post("coql", {"select_query": query, **more})

    def query(self, query: str) -> list[dict[str, Any]]:
        """Give the rows of a query that must succeed."""
        answer = self.coql(query)
        assert answer.status_code in (200, 204), answer.text
        return answer.json()["data"] if answer.status_code == 200 else []

    def field(self, module: str, label: str, data_type: str = "text", **more: Any) -> str:
        """Create a field through the API and give its API name, read back."""
        body = {"fields": [{"field_label": label, "data_type": data_type, **more}]}
        answer = self.post(f"settings/fields?module={module}", body)
        assert answer.status_code == 201, answer.text
        created = answer.json()["fields"][0]["details"]["id"]
        fields = self.get("settings/fields", module=module).json()["fields"]
        return next(each["api_name"] for each in fields if each["id"] == created)

    def close(self) -> None:
        self.session.close()


UNIQUE = {"case_sensitive": False}


def only(answer: requests.Response, name: str = "data") -> dict[str, Any]:
    """Give the single result of a write."""
    (result,) = answer.json()[name]
    return result
