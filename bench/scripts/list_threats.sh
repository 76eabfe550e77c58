#!/usr/bin/env bash
# Prints all threats as lines of JSON with curl and jq: one request and one jq process per page.
# usage: list_threats.sh URL; the token is in S1_API_TOKEN
set -euo pipefail
cursor=
while [ "$cursor" != null ]; do
    {
        # The first line is the cursor of the next page.
        read -r cursor
        cat
    } < <(
        curl -sSf "$1/web/api/v2.1/threats?limit=1000${cursor:+&cursor=$cursor}" \
            -H "Authorization: ApiToken $S1_API_TOKEN" |
            jq -cr '.pagination.nextCursor, .data[]'
    )
done
