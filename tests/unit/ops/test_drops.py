"""What an operator reads about export drops."""

from collections import Counter
from typing import Any

from shared.ops.commands.drops import further, screen


def _module(**more: Any) -> dict[str, Any]:
    counts = dict.fromkeys(("created", "updated", "deleted", "unchanged", "kept_out"), 0)
    return {"entity": "company", "state": "read", "listed": 3, "found": 3, "note": ""} | counts | more


def _told(*modules: dict[str, Any], kept_out: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    drop = {
        "system": "legrand",
        "name": "monday",
        "state": "read",
        "reason": "",
        "exported_at": "2026-03-01T12:00:00+00:00",
        "modules": list(modules),
    }
    findings = Counter(entry["finding"] for entry in kept_out)
    return {"drops": [drop], "kept_out": list(kept_out), "findings": findings, "more": 0}


def test_before_the_first_drop_the_settings_are_named() -> None:
    assert screen({"drops": [], "kept_out": [], "findings": {}, "more": 0}) == (
        "No export drop was seen yet (<SYSTEM>_DROP_URL, DROP_SCHEDULE)."
    )


def test_a_stopped_module_is_named_with_what_to_do() -> None:
    text = screen(_told(_module(state="stopped", found=0, note="file.count_differs"), _module(entity="lead")))

    assert "STOPPED: company. Ask for the export again; the other modules went on." in text.splitlines()
    assert "No record is kept out." in text


def test_a_record_that_is_kept_out_is_named_with_column_and_finding() -> None:
    found = {
        "system": "legrand",
        "entity": "company",
        "file": "Companies.xlsx",
        "record": "CMP1",
        "field": "Company Type",
        "finding": "choice.no_target",
        "detail": "the map has no option for its word: read it in the record, or in the file",
    }

    lines = screen(_told(_module(kept_out=1), kept_out=(found,))).splitlines()

    assert "Kept out: choice.no_target 1" in lines
    assert any(
        line.split("  ")[0] == "legrand:company:CMP1"
        and "Company Type" in line
        and "choice.no_target" in line
        for line in lines
    )


def _found(number: int) -> dict[str, Any]:
    return {
        "number": number,
        "system": "legrand",
        "entity": "company",
        "file": "Companies.xlsx",
        "record": f"C-{number}",
        "field": "Name",
        "finding": "text.too_long",
        "detail": "longer than its column",
    }


def test_what_does_not_fit_on_the_screen_is_counted_with_how_to_see_it() -> None:
    told = _told(_module(kept_out=230), kept_out=tuple(map(_found, range(1, 201))))
    told |= {"findings": {"text.too_long": 230}, "more": 30}

    first, second = screen(told).splitlines(), further(told).splitlines()

    assert "Kept out: text.too_long 230" in first
    assert first[-2] == "and 210 more: tandem drops --after 20"
    assert (len(second), second[-2]) == (204, "and 30 more: tandem drops --after 200")
    assert further(told | {"more": 0}).splitlines()[-2].startswith("legrand:company:C-200")
