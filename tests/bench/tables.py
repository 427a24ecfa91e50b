# tests/bench/tables.py
# SPDX-License-Identifier: Apache-2.0
"""Results as Markdown: one table of what was measured and one of goals for each work."""

from goals import GOALS, judge

MISSING = "–"


def number(value, digits):
    return MISSING if value is None else f"{value:,.{digits}f}"


def ratio(mine, other):
    return MISSING if mine is None or not other else f"{mine / other:.2f}"


def row(cells):
    return "| " + " | ".join(cells) + " |"


def header(cells, left):
    rule = "|".join("---" if i < left else "---:" for i in range(len(cells)))
    return [row(cells), f"|{rule}|"]


def measured(steps, tools, results):
    """`steps` is [(id, title)], `results` is {step: {tool: {value: median}}}."""
    lines = header(["step", "tool", "seconds", "from–to", "CPU s", "peak MiB", "stored MB",
                    "time to restic's", "time to floor's"], 2)
    for step, title in steps:
        by_tool = results.get(step, {})
        restic = by_tool.get("restic", {}).get("seconds")
        floor = by_tool.get("floor", {}).get("seconds")
        for i, tool in enumerate(tools):
            values = by_tool.get(tool, {})
            if "error" in values:
                cells = [f"**failed**: {values['error']}"] + [MISSING] * 6
            elif not values:
                cells = [MISSING] * 7
            else:
                digits = 3 if values["seconds"] < 1 else 2
                stored = values.get("stored")
                cells = [number(values["seconds"], digits),
                         f"{values['least']:.{digits}f}–{values['most']:.{digits}f}",
                         number(values["cpu"], 2), number(values["peak"] / 2**20, 0),
                         number(None if stored is None else stored / 1e6, 2),
                         ratio(values["seconds"], restic), ratio(values["seconds"], floor)]
            lines.append(row(["" if i else title, tool, *cells]))
    return lines


def wanted_text(goal, titles):
    value = {"seconds": "", "stored": ", stored bytes", "peak": ", peak memory"}[goal.value]
    what = titles.get(goal.step, "all steps") + value
    if not goal.other:
        return what, f"at most {goal.limit:g} s"
    if goal.kind == "faster":
        return what, f"{goal.limit:g}x faster than {goal.other}"
    whose = "the floor's" if goal.other == "floor" else f"{goal.other}'s"
    return what, f"at most {goal.limit:g}x {whose}"


def goals(work, steps, results, full):
    """A small scale shows that the tools work; it proves nothing about a goal."""
    lines = header(["goal", "to reach", "got", ""], 2)
    for goal in [goal for goal in GOALS if goal.work == work]:
        got, reached = judge(goal, results)
        text = MISSING if got is None else f"{got:.3f} s" if not goal.other else f"{got:.2f}x"
        verdict = "not measured" if got is None else "reached" if reached else "missed"
        lines.append(row([*wanted_text(goal, dict(steps)), text,
                          verdict if full or got is None else "not judged at this scale"]))
    return lines
