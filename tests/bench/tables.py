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


def cells_of(values, beside):
    """`beside` has the seconds of others that the tool's are set beside."""
    if "error" in values:
        return [f"**failed**: {values['error']}"] + [MISSING] * (4 + len(beside))
    digits = 3 if values["seconds"] < 1 else 2
    found = [number(values["seconds"], digits),
             f"{values['least']:.{digits}f}–{values['most']:.{digits}f}"]
    for value, unit, digits in (("cpu", 1, 2), ("peak", 2**20, 0), ("stored", 1e6, 2)):
        found.append(number(values[value] / unit if value in values else None, digits))
    return found + [ratio(values["seconds"], seconds) for seconds in beside]


def measured(steps, tools, results, beside):
    """`steps` is [(id, title)], `results` is {step: {tool: {value: median}}}, `beside` is
    [(heading, tool)]. A tool without a result in a step does not do such a thing."""
    lines = header(["step", "tool", "seconds", "from–to", "CPU s", "peak MiB", "stored MB",
                    *[heading for heading, _ in beside]], 2)
    for step, title in steps:
        by_tool = results.get(step, {})
        others = [by_tool.get(tool, {}).get("seconds") for _, tool in beside]
        for tool in tools:
            if tool in by_tool:
                lines.append(row([title, tool, *cells_of(by_tool[tool], others)]))
                title = ""
    return lines


UNITS = {"seconds": (1, "s"), "stored": (1e6, "MB"), "peak": (1e6, "MB")}


def wanted_text(goal, titles):
    value = {"seconds": "", "stored": ", stored bytes", "peak": ", peak memory"}[goal.value]
    what = titles.get(goal.step, "all steps") + value
    if not goal.other:
        unit, name = UNITS[goal.value]
        return what, f"at most {goal.limit / unit:g} {name}"
    where = f" in \"{titles.get(goal.other_step, goal.other_step)}\"" if goal.other_step else ""
    if goal.kind == "faster":
        return what, f"{goal.limit:g}x faster than {goal.other}{where}"
    whose = "the floor's" if goal.other == "floor" else f"{goal.other}'s"
    return what, f"at most {goal.limit:g}x {whose}{where}"


def got_text(goal, got):
    if got is None:
        return MISSING
    if goal.other:
        return f"{got:.2f}x"
    unit, name = UNITS[goal.value]
    return f"{got / unit:.3g} {name}" if unit > 1 else f"{got:.3f} {name}"


def goals(work, steps, results, full):
    """A small scale shows that the tools work; it proves nothing about a goal."""
    lines = header(["goal", "to reach", "got", ""], 2)
    for goal in [goal for goal in GOALS if goal.work == work]:
        got, reached = judge(goal, results)
        verdict = "not measured" if got is None else "reached" if reached else "missed"
        lines.append(row([*wanted_text(goal, dict(steps)), got_text(goal, got),
                          verdict if full or got is None else "not judged at this scale"]))
    return lines
