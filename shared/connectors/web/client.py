"""One far side over HTTP."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import uuid4
from weakref import WeakKeyDictionary

from shared.connectors.credentials.secret import Secret
from shared.connectors.web.lines import Lines
from shared.connectors.web.pause import Pause, retry_after
from shared.connectors.web.trust import trust
from shared.core.errors import Unavailable

if TYPE_CHECKING:
    import httpx

_UNNAMED_PAUSE = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class _Call:
    method: str
    path: str
    params: Mapping[str, str] | None
    headers: Mapping[str, str]
    content: bytes | None


class WebClient:
    """Sends requests to one far side and returns its answers, whatever their status.

    Every call waits while the far side's pause lasts; a 429 begins one. A 401 renews the secret once and
    repeats the request once (E-10). What prevents an answer (refused connection, timeout, broken transfer)
    is raised as Unavailable. Connections are kept per event loop, because they cannot change loops.

    A call is sent once, but for that repeat: whether what was not answered was done cannot be told here. With
    `request_id_header` each call carries an id of ours; an error keeps the far side's, else ours.

    Cookies are off: an affinity cookie would tie all calls to one of the far side's servers, and limits count
    per server (Dataverse service protection limits).
    """

    def __init__(
        self,
        who: str,
        base_url: str,
        secret: Secret | None,
        *,
        pause: Pause | None = None,
        timeout: timedelta = timedelta(seconds=30),
        connect_timeout: timedelta = timedelta(seconds=5),
        connections: int = 40,
        ca_file: str | None = None,
        request_id_header: str | None = None,
        new_id: Callable[[], str] = lambda: str(uuid4()),
    ) -> None:
        self._who = who
        self._base_url = base_url.rstrip("/") + "/"
        self._secret = secret
        self._pause = pause or Pause()
        self._timeout = timeout.total_seconds()
        self._connect_timeout = connect_timeout.total_seconds()
        self._connections = connections
        self._ca_file = ca_file
        self._request_id_header = request_id_header
        self._new_id = new_id
        self._lines: WeakKeyDictionary[asyncio.AbstractEventLoop, Lines] = WeakKeyDictionary()

    @property
    def who(self) -> str:
        """The far side's name in error texts."""
        return self._who

    async def send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> "httpx.Response":
        """The answer to one request; `path` is relative to the base URL, `content` is JSON.

        Raises Unavailable without an answer, and Throttled when a pause is too long to wait through.
        """
        await self._pause.wait(self._who)
        named = {self._request_id_header: self._new_id()} if self._request_id_header else {}
        call = _Call(method, path, params, {**(headers or {}), **named}, content)
        bearer = await self._secret.current() if self._secret else None
        answer = await self._once(call, bearer)
        if answer.status_code == 401 and self._secret and bearer is not None:
            bearer = await self._secret.renewed(bearer)
            answer = await self._once(call, bearer)
        await self.heed(answer)
        return answer

    async def heed(self, answer: "httpx.Response") -> None:
        """Begin the pause that an answer asks for; answers inside a batch ask for it, too."""
        if answer.status_code == 429:
            await self._pause.begin(retry_after(answer.headers.get("Retry-After")) or _UNNAMED_PAUSE)

    async def _once(self, call: _Call, bearer: str | None) -> "httpx.Response":
        import httpx  # noqa: PLC0415  # paid by the first call, not by every start of the app

        headers = dict(call.headers)
        if bearer is not None:
            headers["Authorization"] = f"Bearer {bearer}"
        if call.content is not None:
            headers.setdefault("Content-Type", "application/json")
        try:
            async with self._here().line(self._timeout) as client:
                return await client.request(
                    call.method, call.path, params=call.params, headers=headers, content=call.content
                )
        except (httpx.TimeoutException, TimeoutError) as late:
            raise self._lost("did not answer in time", call) from late
        except httpx.TransportError as broken:
            raise self._lost("cannot be reached", call) from broken

    def _lost(self, how: str, call: _Call) -> Unavailable:
        error = Unavailable(f"{self._who} {how}")
        if self._request_id_header:
            error.request_id = call.headers[self._request_id_header]
        return error

    def _here(self) -> Lines:
        loop = asyncio.get_running_loop()
        lines = self._lines.get(loop)
        if lines is None:
            lines = self._lines[loop] = Lines(self._open, self._connections)
        return lines

    def _open(self) -> "httpx.AsyncClient":
        import httpx  # noqa: PLC0415  # paid by the first call, not by every start of the app

        from shared.connectors.web.wire import Wire  # noqa: PLC0415  # as above

        context = trust(self._ca_file)
        return httpx.AsyncClient(
            base_url=self._base_url,
            verify=context,
            # A proxy is spoken to by httpx itself.
            transport=None if _is_behind_proxy(self._base_url) else Wire(context),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            timeout=httpx.Timeout(self._timeout, connect=self._connect_timeout),
            limits=httpx.Limits(max_connections=1, max_keepalive_connections=1),
            headers={"Accept": "application/json"},
        )

    async def aclose(self) -> None:
        """Give the connections of this event loop back; the next call opens new ones."""
        lines = self._lines.pop(asyncio.get_running_loop(), None)
        if lines is not None:
            await lines.aclose()


def _is_behind_proxy(url: str) -> bool:
    """Whether the environment names a proxy for a far side (`HTTPS_PROXY`, `NO_PROXY`)."""
    from urllib.request import getproxies, proxy_bypass  # noqa: PLC0415  # paid by the first call

    parts, proxies = urlsplit(url), getproxies()
    named = proxies.get(parts.scheme) or proxies.get("all")
    return bool(named) and not proxy_bypass(parts.netloc)
