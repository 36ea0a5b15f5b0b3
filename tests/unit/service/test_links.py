"""Which links to results are opened."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch_avatar.errors import BatchAvatarError, LinkRefused
from batch_avatar.service.links import judge_link, split_link

GOOD = [
    "https://stttssvcprodusw2.blob.core.windows.net/batchsynthesis-output/a/b/0001.mp4?sv=1&sig=a%2Bb%3D",
    "https://cvoiceprodeus.blob.core.windows.net:443/x/0001.mp4?sig=z",
    "HTTPS://X.BLOB.CORE.WINDOWS.NET./0001.webm",
    "https://account.z12.blob.storage.azure.net/0001.mp4",
    "https://10.example.com/0001.mp4",
]
BAD = [
    "http://x.blob.core.windows.net/0001.mp4?sig=canary",
    "ftp://x.blob.core.windows.net/0001.mp4",
    "file:///etc/passwd",
    "gopher://x/1",
    "//x.blob.core.windows.net/0001.mp4",
    "https:///0001.mp4",
    "https://[/0001.mp4?sig=canary",
    "https://[::1]/0001.mp4",
    "https://[::ffff:127.0.0.1]/0001.mp4",
    "https://[fe80::1%25eth0]/0001.mp4",
    "https://[fd00::1]/0001.mp4",
    "https://127.0.0.1/0001.mp4",
    "https://127.1/0001.mp4",
    "https://2130706433/0001.mp4",
    "https://0x7f000001/0001.mp4",
    "https://0177.0.0.1/0001.mp4",
    "https://169.254.169.254/latest/meta-data",
    "https://10.0.0.5/0001.mp4",
    "https://192.168.1.1/0001.mp4",
    "https://localhost/0001.mp4",
    "https://LOCALHOST./0001.mp4",
    "https://a.localhost/0001.mp4",
    "https://x:99999999/0001.mp4",
    "https://x:port/0001.mp4",
    "https://user:canary@x.blob.core.windows.net/0001.mp4",
    "https://x.blob.core.windows.net\\@10.0.0.5/0001.mp4",
    "https://x.blob.core.windows.net/00 01.mp4",
    "https://x.blob.core.windows.net/0001.mp4\r\nHost: y",
    "https://\u2460.example.com/0001.mp4",
    "https://exa mple.com/0001.mp4",
    "",
]


@pytest.mark.parametrize("link", GOOD)
@pytest.mark.parametrize("loopback", [False, True])
def test_https_with_a_dns_name_is_opened(link, loopback):
    judge_link(link, loopback=loopback)


@pytest.mark.parametrize("link", BAD)
def test_anything_else_is_refused_and_the_error_does_not_show_its_secret(link):
    with pytest.raises(LinkRefused) as caught:
        judge_link(link, loopback=False)

    assert "canary" not in str(caught.value)
    assert not caught.value.retriable


@pytest.mark.parametrize("host", ["127.0.0.1:10000", "localhost:10000", "[::1]:10000"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_service_on_this_machine_may_link_to_this_machine_and_no_other(host, scheme):
    judge_link(f"{scheme}://{host}/0001.mp4?sig=z", loopback=True)
    with pytest.raises(LinkRefused):
        judge_link("https://10.0.0.5/0001.mp4", loopback=True)
    with pytest.raises(LinkRefused):
        judge_link("http://x.blob.core.windows.net/0001.mp4", loopback=True)


@pytest.mark.parametrize("path", ["Vidéos/intro 1/0001.mp4", "動画/0001.mp4", "videos/a-b_c/0001.mp4", "50%/[1]"])
def test_a_path_in_a_container_may_hold_any_letters(path):
    assert not split_link(path).scheme


@pytest.mark.parametrize("letter", ["\0", "\n", "\x7f", "\x85", "\\", "\ud800"])
def test_a_path_in_a_container_holds_no_control_characters_and_no_backslash(letter):
    with pytest.raises(LinkRefused):
        split_link(f"videos/{letter}/0001.mp4")


@given(st.text())
def test_any_text_is_judged(text):
    for judge in (split_link, lambda link: judge_link(link, loopback=False)):
        try:
            judge(text)
        except BatchAvatarError as error:
            assert isinstance(error, LinkRefused)  # noqa: PT017 - any text may be right or wrong
