"""Which proxy is chosen, and that requests really go through it: through one of our own and through tinyproxy."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import pytest

from itsjustintv_desktop.engine.core.net import client as client_module
from itsjustintv_desktop.engine.core.net import proxies as proxies_module
from itsjustintv_desktop.engine.core.net.address_guard import RefusedAddressError
from itsjustintv_desktop.engine.core.net.client import Client, Options, Outbound
from itsjustintv_desktop.engine.core.net.errors import RequestError, network_sentence
from itsjustintv_desktop.engine.core.net.proxies import DIRECT, Proxies, is_local, parse
from itsjustintv_desktop.engine.core.net.trust import client_context
from itsjustintv_desktop.engine.core.net.wire import Exchange
from tests.engine.delivery.servers import OK, Receiver, answering, receiver, status
from tests.keyring_session import wait_until
from tests.support.authority import Authority
from tests.support.proxy import ForwardProxy, forward_proxy

NAME = "announce.example"
BODY = b'{"streamer_login":"ada"}'


# Which one


def test_a_proxys_address_is_taken_apart() -> None:
    proxy = parse("http://ada:p%40ss%2Fword@Proxy.Example:3128/ignored", "[network] proxy")
    assert (proxy.url, proxy.user, proxy.password) == ("http://proxy.example:3128", "ada", "p@ss/word")
    assert proxy.headers == {"Proxy-Authorization": "Basic YWRhOnBAc3Mvd29yZA=="}
    assert proxy.with_password == "http://ada:p%40ss%2Fword@proxy.example:3128"
    assert "p@ss" not in repr(proxy) + proxy.described
    assert proxy.described == "proxy.example:3128 ([network] proxy)"


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("proxy.example:3128", "http://proxy.example:3128"),
        ("http://proxy.example", "http://proxy.example:80"),
        ("https://proxy.example", "https://proxy.example:443"),
        ("http://[fd00::1]:3128", "http://[fd00::1]:3128"),
        (" 10.0.0.1:3128 ", "http://10.0.0.1:3128"),
    ],
)
def test_short_addresses(text: str, url: str) -> None:
    assert parse(text, "").url == url
    assert parse(text, "").headers == {}


@pytest.mark.parametrize("text", ["socks5://h:1", "http://", "http://h:99999", "http://[::1", "http://a b:1", ":3128"])
def test_what_is_no_proxy(text: str) -> None:
    with pytest.raises(ValueError, match=r"^it (is not the address of a proxy|must be an http)"):
        parse(text, "")


def chosen(proxies: Proxies, url: str) -> str:
    found = proxies.for_url(url)
    return found.url if found is not None else ""


def test_each_scheme_has_its_variable_and_lower_case_comes_first() -> None:
    proxies = Proxies({"HTTPS_PROXY": "http://s:1", "https_proxy": "http://s:2", "HTTP_PROXY": "http://p:3"})
    assert chosen(proxies, "https://a.example/") == "http://s:2"
    assert chosen(proxies, "wss://a.example/") == "http://s:2"
    assert chosen(proxies, "http://a.example/") == "http://p:3"


def test_the_config_comes_first_and_can_turn_all_off() -> None:
    proxies = Proxies({"HTTPS_PROXY": "http://s:1"}, "http://c:9")
    assert chosen(proxies, "https://a.example/") == chosen(proxies, "http://a.example/") == "http://c:9"
    proxies.configure(DIRECT)
    assert chosen(proxies, "https://a.example/") == ""
    assert proxies.in_use == ()
    proxies.configure("")
    assert chosen(proxies, "https://a.example/") == "http://s:1"


def test_without_any_there_is_none() -> None:
    assert chosen(Proxies(), "https://a.example/") == ""
    assert chosen(Proxies({"HTTPS_PROXY": " ", "ALL_PROXY": "http://a:1"}), "https://a.example/") == ""


def test_a_variable_that_cannot_be_used_is_said() -> None:
    proxies = Proxies({"HTTPS_PROXY": "socks5://ada:s3cret@h:1080"})
    assert chosen(proxies, "https://a.example/") == ""
    assert proxies.problems == {"HTTPS_PROXY": "it must be an http or https proxy; others cannot be used"}


@pytest.mark.parametrize(
    ("excepted", "host", "is_excepted"),
    [
        ("*", "a.example", True),
        ("a.example", "a.example", True),
        ("a.example", "A.Example.", True),
        ("a.example", "b.a.example", True),
        ("a.example", "ba.example", False),
        (".a.example", "b.a.example", True),
        ("*.a.example", "b.a.example", True),
        ("x, a.example", "a.example", True),
        ("x  a.example", "a.example", True),
        ("a.example:443", "a.example", True),
        ("a.example:80", "a.example", False),
        ("8.8.8.8", "8.8.8.8", True),
        ("8.8.0.0/16", "8.8.8.8", True),
        ("8.8.0.0/16", "8.9.8.8", False),
        ("[2001:4860::1]", "2001:4860::1", True),
        ("2001:4860::/32", "2001:4860::1", True),
        ("", "a.example", False),
        (".", "a.example", False),
    ],
)
def test_no_proxy(excepted: str, host: str, is_excepted: bool) -> None:
    for variable in ("NO_PROXY", "no_proxy"):
        proxies = Proxies({variable: excepted}, "http://c:9")
        assert (proxies.for_host("https", host) is None) is is_excepted


@pytest.mark.parametrize(
    "host",
    ["localhost", "a.localhost", "printer", "nas.local", "127.0.0.1", "::1", "10.1.2.3", "fd00::9", "169.254.169.254"],
)  # fmt: skip
def test_what_is_local_is_connected_to_directly(host: str) -> None:
    assert is_local(host)
    assert Proxies({}, "http://c:9").for_host("http", host) is None


@pytest.mark.parametrize("host", ["api.twitch.tv", "8.8.8.8", "2001:4860::1", "discord.com."])
def test_what_is_not_local(host: str) -> None:
    assert not is_local(host)


# Through one


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    authority = Authority(tmp_path, "trusted")
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    if client_context().cert_store_stats()["x509_ca"] != 1:
        pytest.skip("the trust store of this system is not a file")
    return authority


@pytest.fixture
def unknown_here(monkeypatch: pytest.MonkeyPatch) -> dict[str, Sequence[str]]:
    """Names that this machine can find, and where they lead; the proxy is found as ever."""
    names: dict[str, Sequence[str]] = {}
    real = socket.getaddrinfo

    def lookup(host: str, port: int, *args: object, **options: object) -> object:
        if host in names:
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in names[host]]
        if host.endswith(".example"):
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return real(host, port, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    return names


@contextlib.asynccontextmanager
async def through(proxy: ForwardProxy) -> AsyncIterator[Client]:
    client = Outbound(proxies=Proxies({}, proxy.url)).client(Options(lenient=True, decompress=False))
    try:
        yield client
    finally:
        await client.aclose()


async def failed(client: Client, url: str) -> RequestError:
    with pytest.raises(RequestError) as caught:
        async with asyncio.timeout(5):
            await client.post(url, content=BODY, extensions={"exchange": Exchange()})
    return caught.value


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_request_goes_through_the_proxy(
    trusted: Authority, unknown_here: dict[str, Sequence[str]], scheme: str
) -> None:
    async with (
        forward_proxy("ada", "s3cret") as proxy,
        receiver(answering(OK), _tls(trusted, scheme)) as made,
        through(proxy) as client,
    ):
        answers = [await client.post(made.url("/h?x=%2F", scheme, NAME), content=BODY) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert {request.line for request in made.requests} == {"POST /h?x=%2F HTTP/1.1"}
    assert all("Proxy-Authorization" not in request.headers for request in made.requests)
    if scheme == "https":
        assert proxy.asked == [f"CONNECT {NAME}:{made.port} HTTP/1.1"]
        assert "webhook" not in proxy.heads[0]
    else:
        assert proxy.asked[0] == f"POST http://{NAME}:{made.port}/h?x=%2F HTTP/1.1"


def _tls(trusted: Authority, scheme: str) -> ssl.SSLContext | None:
    return trusted.server(NAME) if scheme == "https" else None


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_proxy_that_wants_another_password(unknown_here: dict[str, Sequence[str]], scheme: str) -> None:
    async with forward_proxy("ada", "s3cret") as proxy:
        client = Outbound(proxies=Proxies({}, f"http://ada:wrong@127.0.0.1:{proxy.port}")).client(Options(lenient=True))
        error = await failed(client, f"{scheme}://{NAME}/hook")
        await client.aclose()
    assert network_sentence(error) == "the proxy does not accept the user name and password"
    assert (error.sent, error.invalid, error.refused) == (False, False, None)


async def test_a_proxy_that_is_not_there(unknown_here: dict[str, Sequence[str]]) -> None:
    async with forward_proxy() as proxy:
        gone = proxy
    async with through(gone) as client:
        error = await failed(client, f"https://{NAME}/hook")
    assert (network_sentence(error), error.sent, error.invalid) == ("the proxy cannot be reached", False, False)


async def test_a_proxy_that_cannot_reach_the_server(unknown_here: dict[str, Sequence[str]]) -> None:
    async with forward_proxy() as proxy, through(proxy) as client:
        proxy.names = {"other.example": 1}
        error = await failed(client, f"https://{NAME}/hook")
    assert (network_sentence(error), error.sent) == ("the proxy refused the connection (status 502)", False)


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_post_that_was_read_and_then_dropped_may_have_arrived(
    trusted: Authority, unknown_here: dict[str, Sequence[str]], scheme: str
) -> None:
    async def drop(made: Receiver, reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await made.read(reader)

    async with forward_proxy() as proxy, receiver(drop, _tls(trusted, scheme)) as made, through(proxy) as client:
        error = await failed(client, made.url("/h", scheme, NAME))
    assert (error.sent, len(made.requests)) == (True, 1)


async def test_a_certificate_is_verified_behind_a_proxy(
    trusted: Authority, unknown_here: dict[str, Sequence[str]]
) -> None:
    async with (
        forward_proxy() as proxy,
        receiver(answering(OK), trusted.server("other.test")) as made,
        through(proxy) as client,
    ):
        error = await failed(client, made.url("/h", "https", NAME))
    assert network_sentence(error) == "the server's certificate is not valid: Hostname mismatch"
    assert (error.sent, made.requests) == (False, [])


@pytest.mark.parametrize(
    "host", ["168.63.129.16", "100.100.100.200", "169.254.169.254", "[::ffff:169.254.169.254]", "0xA9.0xFE.0xA9.0xFE"]
)
async def test_a_metadata_address_is_refused_behind_a_proxy_as_well(
    unknown_here: dict[str, Sequence[str]], host: str
) -> None:
    async with forward_proxy() as proxy, through(proxy) as client:
        error = await failed(client, f"http://{host}/latest/meta-data/")
    assert isinstance(error.refused, RefusedAddressError)
    assert proxy.asked == []


async def test_a_name_that_leads_to_a_metadata_address_is_refused(unknown_here: dict[str, Sequence[str]]) -> None:
    unknown_here[NAME] = ("93.184.216.34", "169.254.169.254")
    async with forward_proxy() as proxy, through(proxy) as client:
        error = await failed(client, f"https://{NAME}/hook")
    assert error.refused is not None
    assert proxy.asked == []


async def test_a_name_that_leads_into_the_own_network_is_connected_to_directly(
    unknown_here: dict[str, Sequence[str]],
) -> None:
    unknown_here[NAME] = ("127.0.0.1",)
    async with forward_proxy() as proxy, receiver(status(204)) as made, through(proxy) as client:
        await client.post(made.url(host=NAME), content=BODY)
    assert (proxy.asked, made.connections) == ([], 1)


async def test_a_name_that_leads_outside_goes_through_the_proxy(unknown_here: dict[str, Sequence[str]]) -> None:
    unknown_here[NAME] = ("93.184.216.34",)
    async with forward_proxy() as proxy, receiver(status(204)) as made, through(proxy) as client:
        await client.post(made.url(host=NAME), content=BODY)
    assert (len(proxy.asked), made.connections) == (1, 1)


async def test_a_dns_that_hangs_does_not_keep_a_request_from_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    released, real = threading.Event(), socket.getaddrinfo

    def lookup(host: str, *args: object, **options: object) -> object:
        if host == NAME:
            released.wait(20)
        return real("127.0.0.1", *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    monkeypatch.setattr(client_module, "_LOOKUP_SECONDS", 0.2)
    async with forward_proxy() as proxy, receiver(status(204)) as made, through(proxy) as client:
        for _ in range(3):
            await client.post(made.url(host=NAME), content=BODY)
        released.set()
    wait_until(lambda: not any(each.name.startswith("dns") for each in threading.enumerate()), "the look-up")
    assert (len(proxy.asked), len(made.requests)) == (3, 3)


async def test_a_change_of_the_config_counts_from_the_next_request_on(
    unknown_here: dict[str, Sequence[str]],
) -> None:
    proxies = Proxies()
    client = Outbound(proxies=proxies).client(Options())
    async with forward_proxy() as proxy, receiver(status(204)) as made:
        with pytest.raises(RequestError):
            await client.get(made.url(host=NAME))
        proxies.configure(proxy.url)
        await client.get(made.url(host=NAME))
        proxies.configure("")
        with pytest.raises(RequestError):
            await client.get(made.url(host=NAME))
        await client.aclose()
    assert len(proxy.asked) == 1


# Through a real one


@pytest.fixture
def tinyproxy(tmp_path: Path) -> Iterator[str]:
    """The address of one that asks for a user name and password."""
    program = shutil.which("tinyproxy")
    if program is None:
        pytest.skip("tinyproxy is not installed (make system-deps)")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    settings = tmp_path / "tinyproxy.conf"
    settings.write_text(
        f"Port {port}\nListen 127.0.0.1\nTimeout 60\nMaxClients 20\nAllow 127.0.0.1\nBasicAuth ada s3cret\n"
        f'LogFile "{tmp_path / "tinyproxy.log"}"\nLogLevel Connect\n'
    )
    process = subprocess.Popen([program, "-d", "-c", str(settings)], stdout=subprocess.DEVNULL)
    try:
        wait_until(lambda: _listens(port) or process.poll() is not None, "tinyproxy")
        assert process.poll() is None
        yield f"http://ada:s3cret@127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_through_tinyproxy(
    tinyproxy: str, trusted: Authority, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, scheme: str
) -> None:
    for module in (proxies_module, client_module):
        monkeypatch.setattr(module, "is_local", lambda _: False)  # it finds no names but the machine's own
    tls = trusted.server("127.0.0.1") if scheme == "https" else None
    client = Outbound(proxies=Proxies({"HTTPS_PROXY": tinyproxy, "HTTP_PROXY": tinyproxy})).client(
        Options(lenient=True, decompress=False)
    )
    stranger = Outbound(proxies=Proxies({}, tinyproxy.replace("s3cret", "wrong"))).client(Options())
    async with receiver(answering(OK), tls) as made:
        for size in (10, 1_000_000):
            response = await client.post(made.url("/h?x=%2F", scheme), content=b"x" * size)
            assert (response.status_code, response.content) == (200, b"ok")
        if scheme == "https":
            with pytest.raises(RequestError) as caught:
                await stranger.get(made.url("/h", scheme))
            assert network_sentence(caught.value) == "the proxy does not accept the user name and password"
        else:
            assert (await stranger.get(made.url("/h", scheme))).status_code == 401  # as if it were the server's
    await client.aclose()
    await stranger.aclose()
    assert [request.line for request in made.requests] == ["POST /h?x=%2F HTTP/1.1"] * 2
    assert [len(request.body) for request in made.requests] == [10, 1_000_000]
    assert all("Proxy-Authorization" not in request.headers for request in made.requests)
    log = (tmp_path / "tinyproxy.log").read_text()
    assert ("CONNECT 127.0.0.1" in log) if scheme == "https" else ("POST http://127.0.0.1" in log)
