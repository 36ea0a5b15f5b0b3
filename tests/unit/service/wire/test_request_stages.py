"""Every stage of a request is inside its time: connecting, tunnels, TLS, sending, and the head of the answer."""

import socket
import ssl
import threading
from contextlib import ExitStack
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from batch_avatar.errors import TransferError
from batch_avatar.service.results import open_result
from batch_avatar.service.session import NO_ANSWER, open_session
from batch_avatar.service.time_limit import time_limit
from tests.support.servers.dripping import PATIENCE_SECONDS, DrippingServer

SECONDS = 0.05
SILENCE = (600, 600)  # the timeouts of the sockets, which end nothing here
TUNNEL = b"HTTP/1.1 200 Connection established\r\n"
HELLO = b"\x16\x03\x03\x3f\xff\x02\x00\x3f\xfb"  # the beginning of a long TLS record, as a server sends it first


@pytest.fixture
def session():
    with open_session() as session:
        yield session


def request(session, method, url, **options):
    with time_limit(SECONDS):
        return session.request(method, url, timeout=SILENCE, **options)


@pytest.mark.parametrize(("beginning", "drips"), [(b"", False), (HELLO, True)], ids=["silent", "a record that drips"])
def test_a_tls_handshake_ends(session, beginning, drips):
    with DrippingServer(beginning, drips=drips) as server, pytest.raises(NO_ANSWER):
        request(session, "GET", f"https://{server.host}/")


@pytest.mark.parametrize(
    ("beginning", "drips"),
    [(b"HTTP/1.1 2", True), (TUNNEL + b"X: ", True), (TUNNEL + b"\r\n", False)],
    ids=["status line", "headers", "TLS behind it is silent"],
)
def test_a_tunnel_through_a_proxy_ends(session, beginning, drips):
    with DrippingServer(beginning, drips=drips) as proxy, pytest.raises(NO_ANSWER):
        request(session, "GET", "https://speech.example/", proxies={"https": proxy.url})


def test_an_answer_through_a_proxy_ends(session):
    with DrippingServer(b"HTTP/1.1 200 ") as proxy, pytest.raises(NO_ANSWER):
        request(session, "GET", "http://speech.example/", proxies={"http": proxy.url})


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """The file of a certificate for 127.0.0.1, and the server's side of it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    begins = datetime(2020, 1, 1, tzinfo=UTC)
    address = x509.SubjectAlternativeName([x509.DNSName("localhost")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begins)
        .not_valid_after(begins.replace(year=2120))
        .add_extension(address, critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("certificate") / "both.pem"
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return str(file), context


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
def test_sending_to_a_server_that_reads_slowly_ends(session, certificate, tls):
    file, context = certificate
    body = b"x" * 200_000_000  # more than the server takes while it waits for its client to hang up
    with DrippingServer(reads=16_384, tls=context if tls else None) as server:
        url = server.url.replace("http://127.0.0.1", "https://localhost") if tls else server.url
        with pytest.raises(NO_ANSWER):
            request(session, "PUT", url, data=body, verify=file)


def test_connecting_to_a_machine_that_does_not_answer_ends(session):
    """Linux does not answer to a connection for which its listener has no room."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.settimeout(0)
            waiting.connect_ex(listener.getsockname())
        outlasted = threading.Event()

        def end():
            outlasted.set()
            listener.close()

        timer = threading.Timer(PATIENCE_SECONDS, end)
        timer.start()
        stack.callback(timer.cancel)

        with pytest.raises(NO_ANSWER):
            request(session, "GET", f"http://127.0.0.1:{listener.getsockname()[1]}/")

        assert not outlasted.is_set()


ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n"


@pytest.mark.parametrize(
    "beginning", [b"HTTP/1.1 200 ", ANSWER + b"X: ", ANSWER + b"\r\n"], ids=["status line", "headers", "body"]
)
def test_an_answer_that_drips_faster_than_the_socket_times_out_ends(session, beginning):
    with DrippingServer(beginning) as server, pytest.raises(NO_ANSWER):
        request(session, "GET", server.url)


def test_the_head_of_a_result_has_the_time_of_a_request_and_not_that_of_a_transfer(session):
    with DrippingServer(b"HTTP/1.1 200 OK\r\nX: ") as server:
        link = f"{server.url}/v.mp4"
        result = open_result(session, link, offset=0, etag=None, timeout_seconds=SECONDS, seconds=3600)
        with pytest.raises(TransferError), result:
            pass


def test_the_body_of_a_result_has_the_time_of_a_transfer(session):
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n"
    with DrippingServer(head) as server:
        link = f"{server.url}/v.mp4"
        with open_result(session, link, offset=0, etag=None, timeout_seconds=30, seconds=3600) as response:
            assert response.raw.read1(1) == b" "


def test_inside_a_shorter_limit_a_longer_one_gives_no_more_time(session):
    with DrippingServer(b"HTTP/1.1 200 ") as server, time_limit(SECONDS), time_limit(600), pytest.raises(NO_ANSWER):
        session.get(server.url, timeout=SILENCE)
