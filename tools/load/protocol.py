"""One browser tab without a browser: Streamlit's websocket, its uploads and its pictures.

The messages are the protobuf classes that ship with Streamlit 1.67. What a browser does and these
pages never need (themes, custom host messages, reconnecting) is left out.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import http.client
import json
import time
import uuid
from array import array
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode

import websockets
from streamlit.components.v2.bidi_component.main import _make_trigger_id
from streamlit.proto.Alert_pb2 import Alert
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.Common_pb2 import FileURLs
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState

HOST = "127.0.0.1"
"""Load is only ever put on this machine."""
XSRF_COOKIE = "_streamlit_xsrf"
LARGEST_MESSAGE = 256 * 2**20
USER_AGENT = "effnet-viz tools.load"


class ProtocolError(Exception):
    """The server did not answer as a browser needs it to."""


@dataclass
class Picture:
    """A picture that the page asked the browser to show."""

    url: str
    alt: str
    announced: float
    """When its element arrived; times are those of time.perf_counter."""
    loaded: float | None = None
    content: bytes = field(default=b"", repr=False)


def _told(component: Any) -> dict[str, Any]:
    """What a component is told; nothing where it only brings its code."""
    data: dict[str, Any] = json.loads(component.json) if component.json else {}
    return data


PICTURES = ("map", "pane")
"""Kinds of parts that are a photograph, with a map over it or without: in the deck, outside it."""


class Event(NamedTuple):
    """What a visitor did at a part of the page, as the program in the browser tells the server."""

    part: str
    """Key of its component: deck, rows, strip_part."""
    name: str
    value: object


def _scale(shown: dict[str, Any]) -> str:
    """What the viewer adds to the words of a map: the range of its own colours."""
    highest = max(array("f", base64.b64decode(shown["values"])))
    return f", scale of its own 0 to {highest if highest > 0 else 1:.3g}"


def _alternative_text(picture: dict[str, Any]) -> str:
    """What a picture says to someone who cannot see it, with the scale of a map."""
    description = str(picture["description"])
    if not picture["map"]:
        return description
    return f"{description.removesuffix('.')}{_scale(picture['map'])}."


def _caption(picture: dict[str, Any]) -> str:
    """What stands under a map when it is saved: photograph, weights, class, stage, scale."""
    return "\n".join(picture["caption"]) + _scale(picture["map"])


def _sentences(data: object) -> list[str]:
    """All texts in what a component is told, the encoded pictures among them."""
    if isinstance(data, str):
        return [data]
    if isinstance(data, dict):
        if "chosen" in data and "share" in data:  # a row of the answers
            how = "Explained" if data["chosen"] else "Also"
            return [f"{how}: {data['label']}, {data['share']}"]
        data = list(data.values())
    items = data if isinstance(data, list) else []
    return [sentence for item in items for sentence in _sentences(item)]


@dataclass
class Step:
    """What one action of a visitor brought: from sending it to the end of the script."""

    sent: float
    finished: float | None = None
    websocket_bytes: int = 0
    picture_bytes: int = 0
    pictures: list[Picture] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    """Exceptions and error boxes on the page, failed requests, lost connections."""


@dataclass
class _CachedMessage:
    message: ForwardMsg
    used_in_run: int


class Tab:
    """A tab that has opened the app. Use `open`, then `begin`, changes, `rerun`, `complete`."""

    def __init__(self, port: int, executor: Executor) -> None:
        self.port = port
        self._executor = executor
        self._cookies: dict[str, str] = {}
        self._socket: websockets.ClientConnection | None = None
        self._reader: asyncio.Task[None] | None = None
        self._session = ""
        self._page_hash = ""
        self._query: dict[str, str] = {}
        self._elements: dict[tuple[int, ...], tuple[Element, int]] = {}
        self._states: dict[str, WidgetState] = {}
        self._events: dict[str, list[dict[str, object]]] = {}
        self._run = 0
        self._cache: dict[str, _CachedMessage] = {}
        self._oldest_cached = 2
        self._answers: dict[str, asyncio.Future[Any]] = {}
        self._automatic: dict[str, asyncio.Task[None]] = {}
        self._finished = asyncio.Event()
        self._loading: set[asyncio.Task[None]] = set()
        self._seen_urls: dict[str, bytes] = {}
        self._photographs: dict[str, bytes] = {}
        self._step = Step(time.perf_counter())

    # Opening and closing

    async def open(self, timeout: float) -> Step:
        """Load the page as a browser does and run it for the first time."""
        step = self.begin()
        async with asyncio.timeout(timeout):
            # The browser gets the XSRF cookie with these, before the websocket.
            for path in ("/", "/_stcore/health", "/_stcore/host-config"):
                await self._request("GET", path)
            token = self._cookies.get(XSRF_COOKIE, "PLACEHOLDER_AUTH_TOKEN")
            self._socket = await websockets.connect(
                f"ws://{HOST}:{self.port}/_stcore/stream",
                origin=websockets.Origin(f"http://{HOST}:{self.port}"),
                # Streamlit repurposes this header: protocol, token.
                subprotocols=[websockets.Subprotocol("streamlit"), websockets.Subprotocol(token)],
                additional_headers={"Cookie": self._cookie_header()},
                user_agent_header=USER_AGENT,
                max_size=LARGEST_MESSAGE,
                ping_interval=None,  # browsers send none
                proxy=None,
            )
        self._reader = asyncio.create_task(self._read())
        await self.rerun()
        await self.complete(timeout)
        return step

    async def close(self) -> None:
        """Close the tab; whatever is still loading is dropped."""
        tasks = [*self._automatic.values(), *self._loading]
        if self._reader is not None:
            tasks.append(self._reader)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._socket is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(5):
                    await self._socket.close()

    # Actions

    def begin(self) -> Step:
        """Start the clock of an action; everything that arrives from now on belongs to it."""
        self._step = Step(time.perf_counter())
        self._finished.clear()
        return self._step

    async def rerun(self) -> None:
        """Send the state of all widgets and what has been told, which runs the page."""
        self._finished.clear()
        state = self._client_state()
        # A browser forgets an event as soon as it is sent, or every later run would hear it again.
        for aggregator, events in self._events.items():
            state.widget_states.widgets.add(id=aggregator, json_trigger_value=json.dumps(events))
        self._events.clear()
        await self._send(BackMsg(rerun_script=state))

    async def complete(self, timeout: float, ready: Callable[[], bool] = lambda: True) -> None:
        """Wait until the page has run and its pictures are loaded.

        A page that refreshes itself (a visitor waiting in a queue) may run several times: it is
        complete when `ready` says so, or when it has stopped refreshing.
        """
        step = self._step
        try:
            async with asyncio.timeout(timeout):
                while True:
                    await self._finished.wait()
                    if self._lost() and self._reader is not None:
                        self._reader.result()
                    if ready() or not self._automatic or self._lost():
                        break
                    self._finished.clear()
                while self._loading:
                    await asyncio.gather(*self._loading)
        except TimeoutError:
            step.problems.append(f"not complete after {timeout:.0f} s")

    def select(self, key: str, option: str | None) -> None:
        """Choose an option of a selectbox, by its text; None clears it."""
        self._set_selectbox(self._widget(key), option)

    def tell(self, event: Event) -> None:
        """Do something at a part of the page, such as choosing a stage of the deck.

        The events of a component go to one widget beside it, all that happen before the page runs
        as one list.
        """
        aggregator = _make_trigger_id(self._widget(event.part).id, "events")
        told: dict[str, object] = {"event": event.name, "value": event.value}
        self._events.setdefault(aggregator, []).append(told)

    def options(self, key: str) -> list[str]:
        """The texts that a selectbox offers."""
        return list(self._widget(key).options)

    async def upload(self, key: str, name: str, content: bytes) -> None:
        """Put one file into an upload field, in place of those that are there."""
        uploader = self._widget(key)
        request = uuid.uuid4().hex
        message = BackMsg()
        message.file_urls_request.request_id = request
        message.file_urls_request.file_names.append(name)
        message.file_urls_request.session_id = self._session
        answer = await self._ask(request, message)
        if answer.error_msg or len(answer.file_urls) != 1:
            raise ProtocolError(f"No place to upload {name}: {answer.error_msg}")
        urls: FileURLs = answer.file_urls[0]
        boundary = uuid.uuid4().hex
        head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{name}"\r\n'
            "Content-Type: image/jpeg\r\n\r\n"
        )
        body = head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        await self._request("PUT", urls.upload_url, body, headers)
        state = WidgetState(id=uploader.id)
        file = state.file_uploader_state_value.uploaded_file_info.add()
        file.file_id, file.name, file.size = urls.file_id, name, len(content)
        file.file_urls.CopyFrom(urls)
        self._states[uploader.id] = state

    # What the visitor sees

    def texts(self) -> list[str]:
        """Everything on the page that is a sentence: Markdown, captions, boxes."""
        found = []
        for element in self._visible():
            kind = element.WhichOneof("type")
            if kind in ("markdown", "alert", "heading", "text"):
                found.append(getattr(element, kind).body)
            elif kind == "bidi_component":
                data = _told(element.bidi_component)
                # What belongs to a map is among its own texts.
                found += [] if data.get("map") else _sentences(data)
        return found

    def alternative_texts(self) -> list[str]:
        """Of all pictures that are now on the page."""
        return [_alternative_text(picture) for picture in self._pictures()]

    def captions(self) -> list[str]:
        """Of all maps that are now on the page."""
        return [_caption(picture) for picture in self._pictures() if picture["map"]]

    def _pictures(self) -> Iterator[dict[str, Any]]:
        for element in self._visible():
            if element.WhichOneof("type") == "bidi_component":
                data = _told(element.bidi_component)
                if data.get("part") in PICTURES:
                    yield data

    def _visible(self) -> Iterator[Element]:
        return (self._elements[path][0] for path in sorted(self._elements))

    def _widget(self, key: str) -> Any:
        """The element of the widget with this key; Streamlit's ids end with the key."""
        for element in self._visible():
            kind = element.WhichOneof("type")
            widget = getattr(element, kind) if kind else None
            if str(getattr(widget, "id", "")).endswith(f"-{key}"):
                return widget
        raise ProtocolError(f"There is no widget {key!r} on the page.")

    # Websocket

    def _client_state(self, fragment: str = "") -> ClientState:
        state = ClientState(
            query_string=urlencode(self._query),
            page_script_hash=self._page_hash,
            fragment_id=fragment,
            is_auto_rerun=bool(fragment),
            cached_message_hashes=list(self._cache),
        )
        state.widget_states.widgets.extend(self._states.values())
        state.context_info.timezone = "UTC"
        state.context_info.locale = "en-GB"
        state.context_info.url = f"http://{HOST}:{self.port}/"
        return state

    async def _send(self, message: BackMsg) -> None:
        if self._socket is None:
            raise ProtocolError("The tab is not open.")
        try:
            await self._socket.send(message.SerializeToString())
        except websockets.ConnectionClosed as closed:
            raise ProtocolError(f"disconnected: {closed}") from closed

    async def _ask(self, request: str, message: BackMsg) -> Any:
        if self._lost():
            raise ProtocolError("disconnected")
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._answers[request] = answer
        try:
            await self._send(message)
            return await answer
        finally:
            del self._answers[request]

    def _lost(self) -> bool:
        return self._reader is None or self._reader.done()

    async def _read(self) -> None:
        assert self._socket is not None
        try:
            async for data in self._socket:
                assert isinstance(data, bytes)
                self._step.websocket_bytes += len(data)
                self._receive(ForwardMsg.FromString(data))
        except (websockets.ConnectionClosed, ProtocolError) as error:
            self._lose(str(error))
        except Exception as error:  # a mistake in here, which `complete` raises
            self._lose(repr(error))
            raise
        else:
            self._lose("the server closed the websocket")

    def _lose(self, reason: str) -> None:
        """Nobody may wait for what nothing brings any more."""
        self._step.problems.append(f"disconnected: {reason}")
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(ProtocolError(f"disconnected: {reason}"))
        self._finished.set()

    def _receive(self, message: ForwardMsg) -> None:
        message = self._resolved(message)
        kind = message.WhichOneof("type")
        fragments = bool(message.metadata.run.fragment_ids)
        if kind == "new_session":
            self._new_session(message, fragments)
        elif kind == "delta":
            self._apply(message)
        elif kind == "script_finished":
            self._script_finished(message)
        elif kind == "navigation":  # which page it is, known when the script has begun
            self._page_hash = message.navigation.page_script_hash
        elif kind == "page_info_changed":
            self._query = dict(parse_qsl(message.page_info_changed.query_string))
        elif kind == "file_urls_response":
            self._resolve(message.file_urls_response.response_id, message.file_urls_response)
        elif kind == "backend_operation_response":
            response = message.backend_operation_response
            self._resolve(response.request_id, response)
        elif kind == "auto_rerun":
            fragment = message.auto_rerun.fragment_id
            self._stop_automatic([fragment])
            interval = message.auto_rerun.interval
            self._automatic[fragment] = asyncio.create_task(self._refresh(fragment, interval))
        elif kind == "stop_auto_rerun":
            self._stop_automatic(list(message.stop_auto_rerun.fragment_ids))
        elif kind == "session_event":
            if message.session_event.HasField("script_compilation_exception"):
                self._step.problems.append("the script does not compile")
        elif kind == "page_not_found":
            self._step.problems.append("page not found")

    def _resolve(self, request: str, value: Any) -> None:
        answer = self._answers.get(request)
        if answer is not None and not answer.done():
            answer.set_result(value)

    def _resolved(self, message: ForwardMsg) -> ForwardMsg:
        """The server sends only the hash of a large message that the tab said it still has."""
        if message.WhichOneof("type") == "ref_hash":
            cached = self._cache.get(message.ref_hash)
            if cached is None:
                raise ProtocolError(f"unknown message {message.ref_hash}")
            cached.used_in_run = self._run
            whole = ForwardMsg()
            whole.CopyFrom(cached.message)
            whole.metadata.CopyFrom(message.metadata)
            return whole
        if message.metadata.cacheable:
            self._cache[message.hash] = _CachedMessage(message, self._run)
        return message

    def _new_session(self, message: ForwardMsg, fragments: bool) -> None:
        new = message.new_session
        self._session = new.initialize.session_id
        self._page_hash = new.page_script_hash
        self._oldest_cached = new.config.max_cached_message_age
        if not fragments:
            self._run += 1
            self._stop_automatic(list(self._automatic))

    def _script_finished(self, message: ForwardMsg) -> None:
        status = message.script_finished
        if status == ForwardMsg.FINISHED_EARLY_FOR_RERUN:
            return  # another run follows
        if status == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
            self._step.problems.append("the script does not compile")
        if status == ForwardMsg.FINISHED_SUCCESSFULLY:
            current = {path: kept for path, kept in self._elements.items() if kept[1] == self._run}
            self._elements = current
            ids = {getattr(self._typed(element), "id", "") for element, _ in current.values()}
            self._states = {key: state for key, state in self._states.items() if key in ids}
        oldest = self._run - self._oldest_cached
        self._cache = {key: c for key, c in self._cache.items() if c.used_in_run >= oldest}
        self._step.finished = time.perf_counter()
        self._finished.set()

    async def _refresh(self, fragment: str, interval: float) -> None:
        while True:
            await asyncio.sleep(interval)
            await self._send(BackMsg(rerun_script=self._client_state(fragment)))

    def _stop_automatic(self, fragments: list[str]) -> None:
        for fragment in fragments:
            task = self._automatic.pop(fragment, None)
            if task is not None:
                task.cancel()

    # The element tree

    def _apply(self, message: ForwardMsg) -> None:
        path = tuple(message.metadata.delta_path)
        kind = message.delta.WhichOneof("type")
        if kind == "add_block":
            self._elements.pop(path, None)
        elif kind == "new_element":
            # An element in place of a container takes the container's content away.
            below = [p for p in self._elements if p[: len(path)] == path]
            for other in below:
                del self._elements[other]
            element = message.delta.new_element
            self._elements[path] = (element, self._run)
            self._notice(element)
        elif kind == "new_transient":
            for element in message.delta.new_transient.elements:
                self._notice_errors(element)

    @staticmethod
    def _typed(element: Element) -> Any:
        kind = element.WhichOneof("type")
        return getattr(element, kind) if kind else None

    def _notice_errors(self, element: Element) -> None:
        kind = element.WhichOneof("type")
        if kind == "exception":
            exception = element.exception
            self._step.problems.append(f"exception: {exception.type}: {exception.message}")
        elif kind == "alert" and element.alert.format == Alert.ERROR:
            self._step.problems.append(f"error box: {element.alert.body}")

    def _notice(self, element: Element) -> None:
        """What a browser does when an element appears: load pictures, mount widgets."""
        self._notice_errors(element)
        kind, typed = element.WhichOneof("type"), self._typed(element)
        if kind == "imgs":
            for image in typed.imgs:
                self._show(Picture(image.url, image.alt, time.perf_counter()))
        elif kind == "bidi_component":
            self._draw(_told(typed))
        elif kind in ("selectbox", "checkbox", "button_group", "file_uploader"):
            new = typed.id not in self._states
            if not new and not getattr(typed, "set_value", False):
                return
            if kind == "selectbox":
                option = None
                if typed.set_value:
                    option = typed.raw_value if typed.HasField("raw_value") else None
                elif typed.HasField("default") and typed.options:
                    option = typed.options[typed.default]
                self._set_selectbox(typed, option)
            elif kind == "checkbox":
                value = typed.value if typed.set_value else typed.default
                self._states[typed.id] = WidgetState(id=typed.id, bool_value=value)
                self._publish(typed, str(value).lower(), value == typed.default)
            elif kind == "button_group":
                default = [typed.options[i].content for i in typed.default]
                values = list(typed.raw_values) if typed.set_value else default
                state = WidgetState(id=typed.id)
                state.string_array_value.data.extend(values)
                self._states[typed.id] = state
                self._publish(typed, ",".join(values), values == default)
            else:
                state = WidgetState(id=typed.id)
                state.file_uploader_state_value.SetInParent()
                self._states[typed.id] = state

    def _set_selectbox(self, widget: Any, option: str | None) -> None:
        state = WidgetState(id=widget.id)
        default = None
        if widget.HasField("default") and widget.options:
            default = widget.options[widget.default]
        if option is not None:
            state.string_value = option
        self._states[widget.id] = state
        self._publish(widget, option or "", option == default)

    def _publish(self, widget: Any, text: str, is_default: bool) -> None:
        """Widgets bound to the URL write their value there, unless it is the default."""
        if not widget.query_param_key:
            return
        if is_default:
            self._query.pop(widget.query_param_key, None)
        else:
            self._query[widget.query_param_key] = text

    def _draw(self, data: dict[str, Any]) -> None:
        """What the program in the browser does with what a part of the page is told."""
        now, kind = time.perf_counter(), data.get("part")
        if kind == "photograph":  # once: all pictures of the page show it
            photograph = data["photograph"]
            content = base64.b64decode(photograph["source"].split(",", 1)[1])
            self._photographs[photograph["id"]] = content
        elif kind == "strip":
            self._step.problems += [f"refused: {problem}" for problem in data["problems"]]
        elif kind == "address":
            for parameter, value in data["values"].items():
                if value is None:
                    self._query.pop(parameter, None)
                else:
                    self._query[parameter] = value
        elif kind in PICTURES:
            name = data["photograph"]["id"]
            values = data["map"]["values"] if data["map"] else ""
            address = f"{name} {hashlib.sha256(values.encode()).hexdigest()}"
            content = self._photographs.get(name, b"")
            if not content:
                self._step.problems.append(f"a map without its photograph: {data['description']}")
            picture = Picture(address, _alternative_text(data), now, now, content)
            self._step.pictures.append(picture)

    # HTTP

    def _show(self, picture: Picture) -> None:
        self._step.pictures.append(picture)
        if picture.url in self._seen_urls:  # the browser has it
            picture.content = self._seen_urls[picture.url]
            picture.loaded = picture.announced
            return
        task = asyncio.create_task(self._load(picture, self._step))
        self._loading.add(task)
        task.add_done_callback(self._loading.discard)

    async def _load(self, picture: Picture, step: Step) -> None:
        try:
            picture.content = await self._request("GET", picture.url)
        except ProtocolError as error:
            step.problems.append(str(error))
            return
        picture.loaded = time.perf_counter()
        step.picture_bytes += len(picture.content)
        # Old pictures are never asked for again here; a browser drops them as well.
        if len(self._seen_urls) > 50:
            self._seen_urls.clear()
        self._seen_urls[picture.url] = picture.content

    def _cookie_header(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self._cookies.items())

    async def _request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> bytes:
        loop = asyncio.get_running_loop()
        call = (method, path, body, headers or {})
        return await loop.run_in_executor(self._executor, self._blocking_request, *call)

    def _blocking_request(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> bytes:
        if not path.startswith("/"):
            raise ProtocolError(f"{path} is not on the server under test.")
        everything = {"Connection": "close", "User-Agent": USER_AGENT} | headers
        if self._cookies:
            everything["Cookie"] = self._cookie_header()
        if method == "PUT" and XSRF_COOKIE in self._cookies:
            everything["X-Xsrftoken"] = self._cookies[XSRF_COOKIE]
        connection = http.client.HTTPConnection(HOST, self.port, timeout=60)
        try:
            connection.request(method, path, body, everything)
            response = connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise ProtocolError(f"{method} {path}: {error!r}") from error
        finally:
            connection.close()
        if response.status >= 300:
            raise ProtocolError(f"{method} {path}: status {response.status}")
        for cookie in response.headers.get_all("Set-Cookie", []):
            name, _, value = cookie.split(";")[0].partition("=")
            self._cookies[name] = value
        return content
