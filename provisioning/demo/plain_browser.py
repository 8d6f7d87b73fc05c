"""A headless browser without JavaScript: reads the kiosk's pages and presses controls by their data-action."""

from __future__ import annotations

import http.client
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlencode, urljoin, urlsplit


@dataclass
class Form:
    """A form as served: its target and fields; a name may have several values."""

    action: str
    method: str = "get"
    fields: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class Control:
    """Something to press: a button of ``form`` with its own name and value, a link to ``href``, or a choice (radio,
    checkbox) that changes a field of its form.
    """

    form: Form | None = None
    name: str = ""
    value: str = ""
    href: str = ""
    choice: str = ""

    def choose(self) -> None:
        """Select: a radio button replaces its group's other value, a checkbox toggles."""
        if self.form is None:
            return
        mark = (self.name, self.value)
        fields = self.form.fields
        if self.choice == "radio":
            fields[:] = [*(f for f in fields if f[0] != self.name), mark]
        elif mark in fields:
            fields.remove(mark)
        else:
            fields.append(mark)


class _Reader(HTMLParser):
    """Collects the screen's name and the controls, by attribute."""

    def __init__(self) -> None:
        super().__init__()
        self.screen = ""
        self.language = ""
        self.controls: dict[str, Control] = {}
        self._form: Form | None = None
        self._forms: dict[str, Form] = {}

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        if tag == "html":
            self.language = given.get("lang", "")
        elif tag == "body":
            self.screen = given.get("data-screen", "")
        elif tag == "form":
            self._form = Form(given.get("action", ""), given.get("method", "get").lower())
            self._forms[given.get("id", "")] = self._form
        elif tag == "input" and self._form is not None:
            self._input(given, self._form)
        if "data-action" in given:
            self._control(tag, given)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None

    def _input(self, given: dict[str, str], form: Form) -> None:
        kind, name = given.get("type", "text"), given.get("name", "")
        if name and kind not in ("submit", "button") and (kind not in ("checkbox", "radio") or "checked" in given):
            form.fields.append((name, given.get("value", "on" if kind == "checkbox" else "")))

    def _control(self, tag: str, given: dict[str, str]) -> None:
        action = given["data-action"]
        form = self._forms.get(given["form"]) if "form" in given else self._form
        if tag == "a":
            self.controls[action] = Control(href=given.get("href", ""))
        elif tag == "form":
            self.controls.setdefault(action, Control(form=form))
        elif "disabled" not in given:
            choice = given.get("type", "") if tag == "input" else ""
            self.controls[action] = Control(form, given.get("name", ""), given.get("value", ""), choice=choice)


class ControlMissing(Exception):
    """No such control on the page. Its argument is the action's name."""


class PlainBrowser:
    """``screen`` and ``controls`` are of the page shown last."""

    def __init__(self, address: str) -> None:
        self._host = urlsplit(address).netloc
        self._cookies: dict[str, str] = {}
        self.url = address
        self.page = ""
        self.screen = ""
        self.language = ""
        self.controls: dict[str, Control] = {}

    def open(self, url: str) -> None:
        """Show the page at ``url``, following redirects."""
        self._go("GET", url, None)

    def press(self, action: str, **typed: str) -> None:
        """Press a control; ``typed`` is put into the fields of its form first. Raises ControlMissing."""
        control = self.controls.get(action)
        if control is None:
            raise ControlMissing(action)
        if control.choice in ("radio", "checkbox"):
            control.choose()
            return
        if control.href:
            self.open(control.href)
            return
        form = control.form or Form(self.url)
        fields = [(name, value) for name, value in form.fields if name not in typed]
        fields += [*typed.items(), *([(control.name, control.value)] if control.name else [])]
        if form.method == "post":
            self._go("POST", form.action or self.url, urlencode(fields))
        else:
            self.open(f"{form.action or self.url}?{urlencode(fields)}")

    def _go(self, method: str, url: str, body: str | None) -> None:
        for _ in range(10):
            where = (
                urljoin(f"http://{self._host}/", url) if "://" in url or url.startswith("/") else urljoin(self.url, url)
            )
            status, location = self._fetch(method, where, body)
            self.url = where
            if status not in (301, 302, 303, 307, 308) or not location:
                return
            url = urljoin(where, location)
            if status != 307:
                method, body = "GET", None

    def _fetch(self, method: str, url: str, body: str | None) -> tuple[int, str]:
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(self._host, timeout=60)
        headers = {"Cookie": "; ".join(f"{k}={v}" for k, v in self._cookies.items())} if self._cookies else {}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request(method, target or "/", body, headers)
        answer = connection.getresponse()
        text = answer.read().decode("utf-8", "replace")
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            name, _, value = cookie.partition(";")[0].partition("=")
            self._cookies[name.strip()] = value
        connection.close()
        self._show(text)
        return answer.status, answer.headers.get("Location", "")

    def _show(self, text: str) -> None:
        reader = _Reader()
        reader.feed(text)
        self.page, self.screen, self.language, self.controls = text, reader.screen, reader.language, reader.controls
