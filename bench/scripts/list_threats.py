"""Prints all threats as lines of JSON with requests.

usage: list_threats.py URL; the token is in S1_API_TOKEN
"""

import json
import os
import sys

import requests

session = requests.Session()
session.headers["Authorization"] = "ApiToken " + os.environ["S1_API_TOKEN"]
query = {"limit": 1000}
while True:
    response = session.get(sys.argv[1] + "/web/api/v2.1/threats", params=query)
    response.raise_for_status()
    page = response.json()
    for threat in page["data"]:
        sys.stdout.write(json.dumps(threat) + "\n")
    cursor = page["pagination"]["nextCursor"]
    if not cursor:
        break
    query["cursor"] = cursor
