"""Reads workbooks: a file, or addresses of the page as the holder of a token (ADDRESS TOKEN PATH …).

Prints the rows of each sheet as JSON: a cell is [type, format, value]. Of several workbooks it prints a list.
"""

import http.cookiejar
import io
import json
import sys
import urllib.parse
import urllib.request

import openpyxl

sources = [sys.argv[1]]
if len(sys.argv) > 2:
    address, token, *paths = sys.argv[1:]
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
    form = urllib.parse.urlencode({"token": token}).encode()
    browser.open(urllib.request.Request(f"{address}/sign-in", form, {"origin": address})).read()
    sources = [io.BytesIO(browser.open(address + path).read()) for path in paths]


def rows(sheet):
    return [[[type(cell.value).__name__, cell.number_format, str(cell.value)] for cell in row] for row in sheet]


said = [{sheet.title: rows(sheet) for sheet in openpyxl.load_workbook(source)} for source in sources]
print(json.dumps(said if len(said) > 1 else said[0]))
