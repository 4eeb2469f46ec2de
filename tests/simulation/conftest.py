"""Says at the end of a test run how much was simulated."""

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    told = [
        value
        for state in ("passed", "failed")
        for report in terminalreporter.stats.get(state, [])
        for name, value in report.user_properties
        if name == "simulation"
    ]
    for line in told:
        terminalreporter.write_line(f"simulation: {line}")
