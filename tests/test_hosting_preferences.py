"""Choices for the program itself are applied as they are made."""

from __future__ import annotations

import asyncio
import socket

import httpx
import pytest

from desktop.activity.retention import Retention
from desktop.app import GatewayOptions, running
from desktop.errors import UsageError
from desktop.state.app_settings import AppSettings
from tests.helpers.home import Home
from tests.helpers.ports import free_port


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent")
    return Home(tmp_path_factory.mktemp("h"))


async def health(port: int) -> int:
    async with httpx.AsyncClient(trust_env=False, timeout=5) as http:
        return (await http.get(f"http://127.0.0.1:{port}/health")).status_code


async def test_another_port_is_listened_on_at_once_and_one_in_use_leaves_everything_as_it_was(home: Home) -> None:
    first, second = free_port(), free_port()
    async with running(GatewayOptions(), home.paths) as host:
        await host.preferences.load()
        await host.listen("127.0.0.1", first, token="token")
        await host.preferences.change(port=second)
        assert host.endpoint().url == f"http://127.0.0.1:{second}/mcp"
        assert await health(second) == 200
        with pytest.raises(httpx.ConnectError):
            await health(first)
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            with pytest.raises(UsageError, match=f"Port {port} can't be used"):
                await host.preferences.change(port=port)
        assert host.preferences.current.port == second
        assert host.endpoint().url == f"http://127.0.0.1:{second}/mcp"
        assert host.endpoint().reason == ""


async def test_of_two_ports_chosen_at_once_the_last_one_is_listened_on_alone(home: Home) -> None:
    first, second, third = free_port(), free_port(), free_port()
    async with running(GatewayOptions(), home.paths) as host:
        await host.preferences.load()
        await host.listen("127.0.0.1", first, token="token")
        await asyncio.gather(host.preferences.change(port=second), host.preferences.change(port=third))
        assert host.preferences.current.port == third
        assert await health(third) == 200
        for port in (first, second):
            with pytest.raises(httpx.ConnectError):
                await health(port)


async def test_choices_are_kept_for_the_next_start(home: Home) -> None:
    async with running(GatewayOptions(), home.paths) as host:
        await host.preferences.load()
        assert host.preferences.current == AppSettings()
        await host.activity.set_retention(Retention(on=False, details=False, days=30))
        await host.preferences.change(block_secrets="redact", most_running=3)
        assert host.activity.retention == Retention(on=False, details=False, days=30)
    async with running(GatewayOptions(), home.paths) as host:
        await host.preferences.load()
        assert host.preferences.current == AppSettings(
            keep_calls=False, keep_details=False, keep_days=30, block_secrets="redact", most_running=3
        )
        assert host.activity.retention.days == 30


async def test_a_choice_that_does_not_exist_is_a_sentence(home: Home) -> None:
    async with running(GatewayOptions(), home.paths) as host:
        with pytest.raises(UsageError, match="look can't be 'pink'"):
            await host.preferences.change(look="pink")
