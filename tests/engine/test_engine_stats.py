"""The engine's figures of a container become what it uses."""

from __future__ import annotations

from desktop.engine.stats import stats_of


def test_memory_leaves_out_what_the_kernel_can_drop_in_both_versions_of_control_groups() -> None:
    for key in ("inactive_file", "total_inactive_file"):
        found = stats_of(
            {
                "memory_stats": {"usage": 5_000, "stats": {key: 1_000}},
                "cpu_stats": {"cpu_usage": {"total_usage": 2_500_000_000}},
            }
        )
        assert found is not None
        assert (found.memory, found.cpu_seconds) == (4_000, 2.5)


def test_a_container_that_has_ended_has_none() -> None:
    assert stats_of({"memory_stats": {}, "cpu_stats": {}}) is None
