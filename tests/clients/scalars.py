"""What values our scalars have, for schemathesis, and what it looks for in answers beside faults of the server."""

import dataclasses
import datetime
import json
import os
import random
import re
import uuid

import graphql
import schemathesis
from hypothesis import strategies
from schemathesis.graphql import nodes

schemathesis.graphql.scalar("NaiveDate", strategies.dates().map(str).map(nodes.String))

# What this role is never shown, whatever it asks; and what nobody is: SQL, paths, panics.
SECRET = json.loads(os.environ.get("PHANANH_SECRETS", "[]"))
INNER = re.compile(r"panicked|\bdiesel\b|src/[a-z_/]+\.rs|\.cargo/|\bSELECT .* FROM\b|no such (table|column)|syntax error at")
SCHEMA = graphql.build_schema(open(os.environ["PHANANH_SCHEMA"], encoding="utf-8").read())

# What the role may name, as "Type.field"; and words of the register that are worth asking with.
ALLOWED = set(json.loads(os.environ["PHANANH_ALLOWED"]))
KNOWN = json.loads(os.environ["PHANANH_KNOWN"])

SCALARS = {
    "Int": lambda v: type(v) is int and -(2**31) <= v < 2**31,
    "Float": lambda v: type(v) in (int, float),
    "String": lambda v: type(v) is str,
    "Boolean": lambda v: type(v) is bool,
    "ID": lambda v: type(v) is str and bool(uuid.UUID(v)),
    "Decimal": lambda v: type(v) is str and bool(re.fullmatch(r"-?\d+", v)),
    "NaiveDate": lambda v: bool(datetime.date.fromisoformat(v)),
    "DateTime": lambda v: datetime.datetime.fromisoformat(v).tzinfo is not None,
    "JSON": lambda v: True,
}


def fits(value, of, selections, fragments, path, faults):
    """Whether a value is of a type, as far as it was asked for."""
    if isinstance(of, graphql.GraphQLNonNull):
        if value is None:
            # async-graphql leaves out a field that failed, and makes null of an object that has no other fields.
            asked = {}
            if graphql.is_composite_type(of.of_type):
                collect(of.of_type, selections, fragments, asked)
            if not asked or any(f"{path}.{key}" not in FAILED for key in asked):
                faults.append(f"{path} is null")
            return
        of = of.of_type
    if value is None:
        return
    if isinstance(of, graphql.GraphQLList):
        if not isinstance(value, list):
            faults.append(f"{path} is no list")
            return
        for at, one in enumerate(value):
            fits(one, of.of_type, selections, fragments, f"{path}.{at}", faults)
    elif isinstance(of, graphql.GraphQLEnumType):
        if value not in of.values:
            faults.append(f"{path} is {value!r}, no word of {of.name}")
    elif isinstance(of, graphql.GraphQLScalarType):
        try:
            good = SCALARS[of.name](value)
        except (ValueError, TypeError, AttributeError):
            good = False
        if not good:
            faults.append(f"{path} is {value!r}, no {of.name}")
    else:
        if isinstance(of, graphql.GraphQLInterfaceType):
            # It may be any of them, if nobody asked which: one that it fits.
            found = []
            for one in SCHEMA.get_possible_types(of):
                found.append([])
                fits(value, one, selections, fragments, path, found[-1])
            faults.extend(min(found, key=len))
            return
        asked = {}
        collect(of, selections, fragments, asked)
        # A field that failed is left out, and told of by its path.
        failed = {key for key in asked if f"{path}.{key}" in FAILED}
        if set(value) | failed != set(asked):
            faults.append(f"{path} has the fields {sorted(value)}, asked for were {sorted(asked)}")
        for key, (field, below) in asked.items():
            if key not in value:
                continue
            if field == "__typename":
                if value[key] != of.name:
                    faults.append(f"{path}.{key} is {value[key]!r}, not {of.name}")
                continue
            fits(value[key], of.fields[field].type, below, fragments, f"{path}.{key}", faults)


# The paths of the fields that failed in the answer that is looked at.
FAILED = set()


def collect(of, selections, fragments, asked):
    """The fields that an object is asked for, by the name that they have in the answer."""
    for selection in selections:
        if selection.kind == "field":
            key = selection.alias.value if selection.alias else selection.name.value
            below = list(selection.selection_set.selections) if selection.selection_set else []
            if key in asked:
                asked[key][1].extend(below)
            else:
                asked[key] = (selection.name.value, below)
            continue
        fragment = fragments[selection.name.value] if selection.kind == "fragment_spread" else selection
        condition = fragment.type_condition.name.value if fragment.type_condition else of.name
        about = SCHEMA.type_map[condition]
        same = condition == of.name or (graphql.is_abstract_type(about) and SCHEMA.is_sub_type(about, of))
        if same:
            collect(of, fragment.selection_set.selections, fragments, asked)


NOTHING = graphql.parse("{ __typename }").definitions[0].selection_set.selections


def may_be_asked(body):
    """Whether the role may ask for a root field of a document."""
    for definition in body.definitions:
        if definition.kind != "operation_definition":
            continue
        root = {"query": SCHEMA.query_type, "mutation": SCHEMA.mutation_type}[definition.operation.value]
        fields = (field for field in definition.selection_set.selections if field.kind == "field")
        if any(f"{root.name}.{field.name.value}" in ALLOWED for field in fields):
            return True
    return False


@schemathesis.hook
def map_body(context, body):
    """Most documents are cut down to what the role may ask, with pages of a few rows and words that stand in the register:
    others are refused as a whole, and tell nothing. Some stay as they are."""
    chance = random.Random(graphql.print_ast(body))
    if os.environ["PHANANH_TAME"] == "yes":
        stay = 0.15
    else:
        # What is refused by the name of its root field is asked for in this run only.
        stay = 1 if may_be_asked(body) else 1 / 3
    if chance.random() < stay:
        return body
    definitions = []
    for definition in body.definitions:
        if definition.kind == "operation_definition":
            root = {"query": SCHEMA.query_type, "mutation": SCHEMA.mutation_type}[definition.operation.value]
            fields = tuple(tamed_field(field, root, chance, 1) for field in definition.selection_set.selections)
            below = dataclasses.replace(definition.selection_set, selections=fields)
            definition = dataclasses.replace(definition, selection_set=below)
        definitions.append(definition)
    return dataclasses.replace(body, definitions=tuple(definitions))


def tamed(below, of, chance, depth):
    """A selection without what may not be asked of a type."""
    kept = []
    for selection in below.selections:
        if selection.kind == "inline_fragment":
            about = SCHEMA.type_map[selection.type_condition.name.value] if selection.type_condition else of
            inner = tamed(selection.selection_set, about, chance, depth)
            kept.append(dataclasses.replace(selection, selection_set=inner))
            continue
        name = selection.name.value
        if name == "__typename":
            kept.append(selection)
        elif f"{of.name}.{name}" in ALLOWED:
            leads_on = graphql.is_composite_type(graphql.get_named_type(of.fields[name].type))
            if depth <= 5 or not leads_on:
                kept.append(tamed_field(selection, of, chance, depth))
    return dataclasses.replace(below, selections=tuple(kept) or NOTHING)


def tamed_field(field, of, chance, depth):
    if field.kind != "field" or field.name.value not in of.fields:
        return field
    definition = of.fields[field.name.value]
    kept = []
    for argument in field.arguments or ():
        name, known = argument.name.value, definition.args.get(argument.name.value)
        if name in ("after", "before", "last") or known is None:
            continue
        if not graphql.is_required_argument(known) and chance.random() < 0.65:
            continue
        if name in ("first", "days", "limit", "minPosition"):
            number = {"first": chance.randint(0, 4), "days": chance.randint(1, 4000), "limit": 3}.get(name, 1)
            value = graphql.IntValueNode(value=str(number))
        else:
            value = tamed_value(argument.value, known.type, name, chance, 0)
        if value is not None:
            kept.append(dataclasses.replace(argument, value=value))
    below = field.selection_set
    if below:
        below = tamed(below, graphql.get_named_type(definition.type), chance, depth + 1)
    return dataclasses.replace(field, arguments=tuple(kept), selection_set=below)


def tamed_value(value, of, name, chance, depth):
    """A value without what may not be named; None where nothing is left of it."""
    inner = graphql.get_named_type(of)
    if value.kind == "list_value":
        values = (tamed_value(one, inner, name, chance, depth) for one in value.values[:3])
        return dataclasses.replace(value, values=tuple(one for one in values if one is not None))
    if value.kind == "object_value" and graphql.is_input_object_type(inner):
        fields = []
        for field in value.fields:
            key = field.name.value
            if key not in inner.fields or f"{inner.name}.{key}" not in ALLOWED or depth > 4 or field.value.kind == "null_value":
                continue
            # Of many conditions that are joined one is wrong nearly always.
            if key in ("and", "or", "not") and chance.random() < 0.8:
                continue
            kept = tamed_value(field.value, inner.fields[key].type, key, chance, depth + 1)
            if kept is not None:
                fields.append(dataclasses.replace(field, value=kept))
        return dataclasses.replace(value, fields=tuple(fields))
    if value.kind == "enum_value":
        return value if f"{inner.name}.{value.value}" in ALLOWED else None
    if value.kind == "string_value" and name in KNOWN and chance.random() < 0.8:
        return graphql.StringValueNode(value=chance.choice(KNOWN[name]))
    return value


def note_answer(case, answer):
    """Which operations were answered, for who started us."""
    with open(os.environ["PHANANH_ANSWERED"], "a", encoding="utf-8") as answered:
        for name, value in answer["data"].items():
            if value is not None:
                answered.write(f"{name}\n")


@schemathesis.check
def no_fault(ctx, response, case):
    """The server did not fail. (Schemathesis takes any error that comes with data for a failure, as NOT_FOUND of a code.)"""
    assert response.status_code < 500, response.status_code
    codes = [error["extensions"]["code"] for error in json.loads(response.content).get("errors", [])]
    assert "INTERNAL_SERVER_ERROR" not in codes and "TIMEOUT" not in codes, codes


def without_conditions(answer):
    """Without what the audit log says that others asked with: who manages it reads that (docs/threat-model.md)."""
    if isinstance(answer, dict):
        return {name: without_conditions(value) for name, value in answer.items() if name != "asked"}
    return [without_conditions(value) for value in answer] if isinstance(answer, list) else answer


@schemathesis.check
def nothing_leaks(ctx, response, case):
    """No secret of the register stands in an answer unless it was asked with, and nothing of the inside."""
    answer = json.dumps(without_conditions(json.loads(response.content)), ensure_ascii=False)
    asked = json.dumps(case.body, ensure_ascii=False) if not isinstance(case.body, str) else case.body
    found = [secret for secret in SECRET if secret in answer and secret not in asked]
    assert not found, f"the answer tells {found}"
    said = INNER.search(json.dumps([error.get("message") for error in json.loads(answer).get("errors", [])]))
    assert not said or said.group(0) in asked, f"the answer tells of the inside: {said.group(0)}"


@schemathesis.check
def answers_fit(ctx, response, case):
    """What is answered is what was asked for, of the types of the schema; every error has a code."""
    answer = json.loads(response.content)
    for error in answer.get("errors", []):
        assert error["extensions"]["code"] == error["extensions"]["code"].upper(), error
    if answer.get("data") is None:
        assert answer.get("errors"), "neither data nor errors"
        return
    note_answer(case, answer)
    document = graphql.parse(case.body if isinstance(case.body, str) else case.body["query"])
    fragments = {d.name.value: d for d in document.definitions if d.kind == "fragment_definition"}
    operation = next(d for d in document.definitions if d.kind == "operation_definition")
    root = {"query": SCHEMA.query_type, "mutation": SCHEMA.mutation_type}[operation.operation.value]
    faults = []
    FAILED.clear()
    FAILED.update(".".join(map(str, ["data", *error.get("path", [])])) for error in answer.get("errors", []))
    fits(answer["data"], root, operation.selection_set.selections, fragments, "data", faults)
    assert not faults, faults[:5]
