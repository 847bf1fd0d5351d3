#!/bin/sh
# The control API with curl.   sh control.sh /run/seawall/control.sock quoter XBTUSD
set -eu
socket=$1 bot=$2 symbol=$3

ask() { curl --silent --show-error --max-time 6 --unix-socket "$socket" "$@"; }

# A sign of life; --fail makes curl end with 22 if the guard did not hear it.
ask --fail --request POST "http://seawall/v1/bots/$bot/heartbeat"

# Whether exposure may be added. No answer means halted.
ask "http://seawall/v1/halt?symbol=$symbol&bot=$bot" || echo "halted: no answer"

# What protects each position.
ask http://seawall/v1/protection

# A change: a key of your own makes it safe to send again.
key=$(date +%s)-$$
ask --request POST --header "Idempotency-Key: $key" --data '{"seconds": 60}' http://seawall/v1/pause
ask --request POST --header "Idempotency-Key: $key-end" http://seawall/v1/resume
