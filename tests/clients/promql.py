"""Parses expressions of Prometheus, and says what each finds in the answer of /metrics.

Reads a JSON document {"metrics": text, "honors": whether the scrape has honor_labels, "asked": [{"expr", "legend"}]}
from a file. Prints of each expression its problems and the labels of what it finds. Numbers are not computed.
"""

import json
import re
import sys

import promql_parser as promql

SERIES = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? \S+")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')


class Problem(Exception):
    """What is wrong with an expression."""


def scraped(text, honors):
    """The series as Prometheus stores them: it adds the labels `job` and `instance`, and renames those of the series
    unless the scrape honors them."""
    series = []
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        name, pairs = SERIES.fullmatch(line).groups()
        labels = dict(LABEL.findall(pairs or ""))
        for added in ["job", "instance"]:
            if added in labels and not honors:
                labels[f"exported_{added}"] = labels.pop(added)
            labels.setdefault(added, "of the scrape")
        series.append((name, labels))
    return series


def matches(matcher, value):
    if matcher.op in [promql.MatchOp.Equal, promql.MatchOp.NotEqual]:
        return (value == matcher.value) == (matcher.op == promql.MatchOp.Equal)
    return (re.fullmatch(matcher.value, value) is not None) == (matcher.op == promql.MatchOp.Re)


def selected(selector, series):
    named = [labels for name, labels in series if name == selector.name]
    if not named:
        raise Problem(f"there is no {selector.name}")
    for one in selector.matchers.matchers:
        named = [labels for labels in named if matches(one, labels.get(one.name, ""))]
        if not named:
            raise Problem(f"nothing has {one.name} {one.value} in {selector}")
    return named


def grouped(expression, of):
    """Each combination of the labels that an aggregation keeps, once."""
    modifier = expression.modifier
    if modifier is None:
        return [{}]
    if modifier.type != promql.AggModifierType.By:
        raise Problem(f"this test does not know {modifier}")
    for label in modifier.labels:
        if any(label not in labels for labels in of):
            raise Problem(f"not all series of {expression.expr} have the label {label}")
    groups = []
    for labels in of:
        group = {label: labels[label] for label in modifier.labels}
        if group not in groups:
            groups.append(group)
    return groups


def called(expression, series):
    name = expression.func.name
    if name == "time":
        return None
    if name in ["rate", "increase", "delta"]:
        return found(expression.args[0], series)
    if name == "histogram_quantile":
        buckets = found(expression.args[1], series)
        if not any(labels.get("le") == "+Inf" for labels in buckets):
            raise Problem(f"{expression.args[1]} has no buckets")
        groups = []
        for labels in buckets:
            group = {label: value for label, value in labels.items() if label != "le"}
            if group not in groups:
                groups.append(group)
        return groups
    raise Problem(f"this test does not know {name}")


def found(expression, series):
    """The labels of each result; None for a number without labels."""
    match expression:
        case promql.NumberLiteral():
            return None
        case promql.VectorSelector():
            return selected(expression, series)
        case promql.MatrixSelector():
            return selected(expression.vector_selector, series)
        case promql.ParenExpr() | promql.UnaryExpr():
            return found(expression.expr, series)
        case promql.Call():
            return called(expression, series)
        case promql.AggregateExpr():
            return grouped(expression, found(expression.expr, series))
        case promql.BinaryExpr():
            left, right = found(expression.lhs, series), found(expression.rhs, series)
            if left is None or right is None:
                return right if left is None else left
            if str(expression.op) in ["or", "unless"]:
                return left
            both = [labels for labels in left if labels in right]
            if not both:
                raise Problem(f"no labels of {expression.lhs} are those of {expression.rhs}")
            return both
    raise Problem(f"this test does not know {type(expression).__name__}")


def problems_of_legend(legend, results):
    wanted = re.findall(r"\{\{\s*(\w+)\s*\}\}", legend)
    missing = [label for label in wanted if any(label not in labels for labels in results)]
    if missing:
        return [f"the legend has {', '.join(missing)}, and the lines have not"]
    names = {tuple(labels[label] for label in wanted) for labels in results}
    return [] if len(names) == len(results) else [f"{len(results)} lines have {len(names)} names"]


def answer(asked, series):
    try:
        results = found(promql.parse(asked["expr"]), series) or []
    except (Problem, ValueError) as problem:
        return {"expr": asked["expr"], "problems": [str(problem)], "found": []}
    legend = asked["legend"]
    problems = [] if legend is None else problems_of_legend(legend, results)
    return {"expr": asked["expr"], "problems": problems, "found": results}


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        given = json.load(file)
    series = scraped(given["metrics"], given["honors"])
    print(json.dumps([answer(asked, series) for asked in given["asked"]]))


main()
