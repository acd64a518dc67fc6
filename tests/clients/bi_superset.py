"""Connects Apache Superset over the PostgreSQL protocol, by its own REST API, and prints what it shows as JSON."""

import datetime
import json
import os
import sys
import tempfile
from urllib.parse import quote

given = json.loads(sys.argv[1])
home = tempfile.TemporaryDirectory()
config = os.path.join(home.name, "config.py")
with open(config, "w") as file:
    file.write(f"""
SECRET_KEY = "{'x' * 42}"
SQLALCHEMY_DATABASE_URI = "sqlite:///{home.name}/superset.db"
CACHE_CONFIG = DATA_CACHE_CONFIG = FILTER_STATE_CACHE_CONFIG = EXPLORE_FORM_DATA_CACHE_CONFIG = {{
    "CACHE_TYPE": "NullCache"
}}
RATELIMIT_ENABLED = WTF_CSRF_ENABLED = TALISMAN_ENABLED = False
LOG_LEVEL = "WARNING"
""")
os.environ.update(SUPERSET_CONFIG_PATH=config, SUPERSET_HOME=home.name)

from superset.app import create_app  # noqa: E402

app = create_app()
with app.app_context():
    from flask_appbuilder import Model
    from superset.extensions import db, security_manager

    Model.metadata.create_all(db.engine)
    app.appbuilder.add_permissions(update_perms=True)
    security_manager.sync_role_definitions()
    role = security_manager.find_role("Admin")
    security_manager.add_user("admin", "Ad", "Min", "admin@superset.example", role, password="admin")
    db.session.commit()

client = app.test_client()
signed = {}


def asked(method, path, body=None):
    """What the REST API answers; it must answer."""
    answer = client.open(f"/api/v1/{path}", method=method, json=body, headers=signed)
    assert answer.status_code < 300, (path, answer.status_code, answer.get_data(as_text=True)[:3000])
    return answer.get_json()


login = {"username": "admin", "password": "admin", "provider": "db"}
signed["Authorization"] = "Bearer " + asked("POST", "security/login", login)["access_token"]

user, password = (quote(given[name], safe="") for name in ("user", "password"))
uri = f"postgresql+psycopg2://{user}:{password}@{given['host']}:{given['port']}/phananh"
about = {"database_name": "phananh", "sqlalchemy_uri": uri}
said = {"connection": asked("POST", "database/test_connection/", about)["message"]}
database = asked("POST", "database/", about | {"expose_in_sqllab": True})["id"]
said["schemas"] = sorted(asked("GET", f"database/{database}/schemas/")["result"])
tables = asked("GET", f"database/{database}/tables/?q=(schema_name:public)")["result"]
said["tables"] = sorted(table["value"] for table in tables if table["type"] == "table")
shown = asked("GET", f"database/{database}/table_metadata/?name=complaints&schema=public")
said["comment"] = shown["comment"]
said["columns"] = {column["name"]: [column["type"], column["comment"]] for column in shown["columns"]}
said["keys"] = [shown["indexes"], shown["foreignKeys"], shown["primaryKey"].get("constrained_columns")]


def lab(sql, limit=1000):
    """The rows of a query of SQL Lab."""
    query = {"database_id": database, "sql": sql, "schema": "public", "queryLimit": limit, "runAsync": False}
    return asked("POST", "sqllab/execute/", query)["data"]


said["lab"] = lab("SELECT kind, COUNT(*) AS n, COUNT(DISTINCT enterprise) AS enterprises FROM complaints GROUP BY kind")
said["limited"] = len(lab("SELECT complaint, received_at, cost_vnd, delay_hours FROM complaints", 7))
wrong = {"database_id": database, "sql": "SELECT nothing FROM complaints", "schema": "public", "runAsync": False}
said["wrong"] = client.post("/api/v1/sqllab/execute/", json=wrong, headers=signed).get_data(as_text=True)


def dataset(name, sql=None):
    made = {"database": database, "schema": "public", "table_name": name}
    return asked("POST", "dataset/", made | ({"sql": sql} if sql else {}))["id"]


def chart(of, **query):
    """The rows of a chart."""
    body = {"datasource": {"id": of, "type": "table"}, "force": True, "queries": [{"row_limit": 10000} | query]}
    return asked("POST", "chart/data", body)["result"][0]["data"]


def measure(sql, label):
    return {"expressionType": "SQL", "sqlExpression": sql, "label": label}


def buckets(column, grain):
    axis = {"timeGrain": grain, "columnType": "BASE_AXIS", "sqlExpression": column, "label": column}
    return axis | {"expressionType": "SQL"}


def month(row):
    at = datetime.datetime.fromtimestamp(row["received_on"] / 1000, datetime.timezone.utc)
    return at.strftime("%Y-%m-01")


complaints = dataset("complaints")
fields = asked("GET", f"dataset/{complaints}")["result"]["columns"]
said["fields"] = {field["column_name"]: [field["type_generic"], field["is_dttm"]] for field in fields}
count = measure("COUNT(*)", "n")
said["by_kind"] = chart(
    complaints,
    columns=["kind"],
    metrics=[count, measure("COUNT(DISTINCT enterprise)", "enterprises"), measure("SUM(cost_vnd)", "cost")],
    orderby=[[count, False]],
)
by_month = chart(
    complaints,
    columns=[buckets("received_on", "P1M"), "kind"],
    metrics=[count],
    granularity="received_on",
    time_range="2000-01-01 : 2100-01-01",
    filters=[{"col": "kind", "op": "!=", "val": "CONDUCT"}],
)
said["by_month"] = [row | {"month": month(row)} for row in by_month]
first, last = given["days"]
said["in_range"] = [
    chart(complaints, metrics=[count], columns=[], granularity=column, time_range=f"{first} : {last}")[0]["n"]
    for column in ("received_on", "received_at")
]
said["grains"] = {
    grain: [
        {"second": int(row["received_at"]) // 1000, "n": row["n"]}
        for row in chart(complaints, columns=[buckets("received_at", grain)], metrics=[count])
    ]
    for grain in ("PT5S", "PT15M", "PT1H", "P1D", "P1W", "P1M", "P3M", "P1Y")
}
said["like"] = chart(
    complaints, columns=["kind"], metrics=[count], filters=[{"col": "kind", "op": "ILIKE", "val": "%duct"}]
)
top = chart(
    complaints,
    columns=[buckets("received_on", "P1Y"), "department"],
    metrics=[count],
    series_columns=["department"],
    series_limit=2,
    series_limit_metric=count,
    granularity="received_on",
)
said["top"] = [row | {"year": int(month(row)[:4])} for row in top]
virtual = dataset("by_branch", "SELECT branch, received_on, cost_vnd FROM complaints WHERE kind = 'CONDUCT'")
said["virtual"] = chart(virtual, columns=["branch"], metrics=[count])
print(json.dumps(said, default=str))
