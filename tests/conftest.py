"""Fixtures every test can ask for; what they start is real, and ended by whoever started it."""

pytest_plugins = ["tests.helpers.docker_engine", "tests.helpers.display", "tests.helpers.keychain"]
