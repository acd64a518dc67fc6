"""What values our scalars have, for schemathesis."""

import schemathesis
from hypothesis import strategies
from schemathesis.graphql import nodes

schemathesis.graphql.scalar("NaiveDate", strategies.dates().map(str).map(nodes.String))
