"""The connections to a far side: how many there are, which is taken, and that none is left open."""

import httpx
import pytest

from shared.connectors.web.lines import Lines


class Opened:
    """Opens clients and remembers them."""

    def __init__(self) -> None:
        self.clients: list[httpx.AsyncClient] = []

    def __call__(self) -> httpx.AsyncClient:
        self.clients.append(httpx.AsyncClient())
        return self.clients[-1]


async def test_the_line_given_back_last_is_taken_first() -> None:
    opened = Opened()
    lines = Lines(opened, 3)

    async with lines.line(1) as first, lines.line(1) as second:
        assert first is not second
    async with lines.line(1) as again:
        assert again is first

    assert opened.clients == [first, second]
    await lines.aclose()


async def test_who_finds_no_line_in_time_is_told() -> None:
    lines = Lines(Opened(), 1)

    async with lines.line(1):
        with pytest.raises(TimeoutError):
            async with lines.line(0.01):
                pytest.fail("there was no line to have")
    async with lines.line(0.01):
        pass
    await lines.aclose()


async def test_a_line_in_use_while_all_are_closed_is_closed_when_it_is_given_back() -> None:
    opened = Opened()
    lines = Lines(opened, 2)

    async with lines.line(1) as used:
        async with lines.line(1):
            pass
        await lines.aclose()
        assert [client.is_closed for client in opened.clients] == [False, True]

    assert used.is_closed
