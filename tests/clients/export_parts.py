"""Reads exports in parts, with their manifests, and as workbooks. Prints one JSON document."""

import datetime
import hashlib
import io
import json
import os
import urllib.error
import urllib.parse
import urllib.request

import openpyxl

ADDRESS, TOKEN = os.environ["PHANANH_ADDRESS"], os.environ["PHANANH_TOKEN"]


def ask(path, method="GET", **headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    headers["authorization"] = f"Bearer {TOKEN}"
    request = urllib.request.Request(f"{ADDRESS}/export/{path}", method=method, headers=headers)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


said = {}
status, headers, whole = ask("complaints.parquet")
tag, as_of = headers["etag"], headers["phananh-as-of"]
said["whole"] = [status, headers["accept-ranges"], whole[:4] == b"PAR1", whole[-4:] == b"PAR1"]

# The manifest is of the file that was downloaded.
status, headers, manifest = ask("complaints.manifest.json", if_match=tag)
manifest = json.loads(manifest)
same = manifest["sha256"] == hashlib.sha256(whole).hexdigest() and manifest["bytes"] == len(whole)
said["manifest"] = [status, manifest["rows"], same, manifest["table"], manifest["keyVersion"]]
said["position"] = manifest["position"]
vietnam = datetime.timezone(datetime.timedelta(hours=7))
day = datetime.datetime.fromisoformat(as_of).astimezone(vietnam).date().isoformat()
said["state"] = [manifest["asOf"] == as_of, manifest["day"] == day, manifest["query"]]

status, headers, body = ask("complaints.parquet", method="HEAD")
said["head"] = [status, int(headers["content-length"]) == len(whole), headers["etag"] == tag, len(body)]

# Parts of 10,000 bytes, the last one by a suffix, are the same file.
parts = []
for at in range(0, len(whole), 10_000):
    status, headers, part = ask("complaints.parquet", range=f"bytes={at}-{at + 9_999}")
    assert status == 206 and headers["etag"] == tag, (status, headers["etag"], tag)
    assert headers["content-range"] == f"bytes {at}-{min(at + 10_000, len(whole)) - 1}/{len(whole)}"
    parts.append(part)
said["parts"] = [len(parts) > 1, b"".join(parts) == whole]
status, headers, part = ask("complaints.parquet", range="bytes=-8", if_range=tag)
said["suffix"] = [status, part == whole[-8:]]
status, headers, part = ask("complaints.parquet", range=f"bytes={len(whole)}-")
said["beyond"] = [status, headers["content-range"] == f"bytes */{len(whole)}"]
status, headers, part = ask("complaints.parquet", range="bytes=-8", if_range='"another"')
said["another"] = [status, part[:4] == b"PAR1" and part[-4:] == b"PAR1", headers["etag"] != tag]
said["gone"] = ask("complaints.parquet", range="bytes=0-7", if_match='"another"')[0]

# CSV is sent as a whole.
status, headers, body = ask("complaints.csv?bom=true", range="bytes=0-7")
said["csv"] = [status, body[:3] == b"\xef\xbb\xbf", body[3:12] == b"complaint"]

query = urllib.parse.urlencode({"filter": json.dumps({"unit": {"within": "02"}})})
status, headers, body = ask(f"complaints.xlsx?{query}")
book = openpyxl.load_workbook(io.BytesIO(body))
rows = list(book["data"].iter_rows(values_only=True))
asked = dict(book["Query"].iter_rows(values_only=True))
said["xlsx"] = {
    "status": status,
    "sheets": book.sheetnames,
    "rows": len(rows) - 1,
    "first": list(rows[0])[:3],
    "days": type(rows[1][1]).__name__,
    "formulas": sum(cell.data_type == "f" for row in book["data"].iter_rows() for cell in row),
    "asked": {name: asked[name] for name in ("table", "query", "position", "key_version", "rows")},
}
said["filtered"] = json.loads(ask(f"complaints.xlsx.manifest.json?{query}")[2])["query"]
print(json.dumps(said))
